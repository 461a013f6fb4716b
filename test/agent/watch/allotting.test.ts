import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { APART_LOOKS, allot, apartOf } from "../../../agent/watch/allotting.ts";
import { openIncident, withServices } from "../../../agent/watch/incident-state.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { assessmentOf, changeOf, targetOf } from "../../core/guardrails/rule-inputs.ts";

const incident = (id: string, services: readonly string[]): Incident => ({
  ...openIncident(id, { ...assessmentOf({ targets: [] }), baselines: [] }),
  service: services[0] ?? "",
  affectedServices: [...services],
  trouble: [...services],
});
const ids = ({ merged }: ReturnType<typeof allot>) => merged.map(({ from, into }) => `${from.id} in ${into.id}`);

it.each([
  ["that which holds most of the services, though it is the younger", ["a"], ["b", "c", "d"], "old in young"],
  ["the older of two that hold as many", ["a", "b"], ["c", "d"], "young in old"],
  ["the older where it holds more", ["a", "b", "c"], ["d"], "young in old"],
])("of two incidents that became one, %s goes on", (_, older, younger, expected) => {
  const open = [incident("old", older), incident("young", younger)];
  const found = allot(open, [["a", "b", "c", "d"]], apartOf([]), { at: 0, changes: [] });
  expect(ids(found)).toEqual([expected]);
  expect([...found.homes.values()]).toEqual([["a", "b", "c", "d"]]);
  expect(found.rest).toEqual([]);
});

describe("a service that is degraded again apart from the rest of its incident", () => {
  const signal = (service: string, well: number) => ({ service, metric: "p99_latency", usual: 20, bad: 60, well });
  const wide = (well: number): Incident => ({
    ...incident("wide", ["a", "b", "c"]),
    signals: [signal("a", 0), signal("b", well), { ...signal("b", 20), metric: "p50_latency" }, signal("c", 0)],
  });
  const groups = [["a", "c"], ["b"]];
  const rolling = { ...changeOf(targetOf()), service: "b", finishedAt: null };
  const changed = { ...changeOf(targetOf()), service: "b", startedAt: Number.MAX_SAFE_INTEGER };

  it.each([
    ["stays where it was back for some samples only", wide(4), [], []],
    ["leaves once it was back for as long as an incident must be quiet to end", wide(11), [], [["b"]]],
    ["stays where few are left of a wide cause that reached it", { ...wide(0), wide: true as const }, [], []],
    ["leaves a wide cause that it was rolling out in", { ...wide(0), wide: true as const }, [rolling], [["b"]]],
    ["leaves where it was changed since", wide(4), [changed], [["b"]]],
    ["leaves together with what was never of this incident", wide(4), [], [["b", "d"]]],
  ])("%s", (_, one, changes, rest) => {
    const found = allot(
      [one],
      rest[0]?.includes("d") === true
        ? [
            ["a", "c"],
            ["b", "d"],
          ]
        : groups,
      apartOf([]),
      { at: 0, changes },
    );
    expect(found.rest).toEqual(rest);
  });

  it("leaves where it is changed after it was found to go on", () => {
    const apart = apartOf([wide(4)]);
    expect(allot([wide(4)], groups, apart, { at: 0, changes: [] }).rest).toEqual([]);
    expect(allot([wide(0)], groups, apart, { at: 1, changes: [] }).rest).toEqual([]);
    expect(allot([wide(0)], groups, apart, { at: 2, changes: [changed] }).rest).toEqual([["b"]]);
  });
});

describe("a service that is found apart from an incident that holds it", () => {
  const one = { ...incident("one", ["a", "b"]), signals: [] };
  const [together, apartNow] = [[["a", "b"]], [["a"], ["b"]]];
  const left = (apart: ReturnType<typeof apartOf>, times: readonly number[]) =>
    times.map((at) => allot([one], apartNow, apart, { at, changes: [] }).rest.length);

  it("leaves after three evaluations, however often groups are given out in one of them", () => {
    const apart = apartOf([]);
    allot([one], together, apart, { at: 0, changes: [] });
    expect(left(apart, [1, 1, 1, 2, 2, 3])).toEqual([0, 0, 0, 0, 0, 1]);
  });

  it("leaves no sooner after a restart", () => {
    expect(left(apartOf([one]), [1, 2, 3])).toEqual([0, 0, 1]);
  });
});

it("an incident goes on without the service that it is named after, where somebody changed that since", () => {
  const one = { ...incident("one", ["a", "b", "c"]), wide: true as const, signals: [], detectedAt: 0 };
  const changes = [{ ...changeOf(targetOf()), service: "a", startedAt: 1, finishedAt: 2 }];
  const apart = apartOf([one]);
  const looks = [3, 4, 5].map((at) => allot([one], [["a"], ["b", "c"]], apart, { at, changes }));
  expect(looks.map(({ rest, parting }) => [rest, [...parting]])).toEqual([
    [[], ["one"]],
    [[], ["one"]],
    [[["a"]], []],
  ]);
  const last = looks.at(-1);
  const next = withServices(one, last?.homes.get("one") ?? [], last?.left.get("one") ?? [], 5);
  expect(next).toMatchObject({ service: "b", trouble: ["b", "c"] });
});

const SERVICES = ["a", "b", "c", "d", "e"] as const;
const someOf = fc.subarray([...SERVICES], { minLength: 1 });
/** The services in up to three groups. */
const grouping = fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }).map((of) => {
  const groups = [0, 1, 2].map((group) => SERVICES.filter((_, index) => of[index] === group));
  return groups.filter((group) => group.length > 0);
});

it("groups that stay as they are come to have one incident each, whatever that is named after and affects", () => {
  const named = fc.record({ service: fc.constantFrom(...SERVICES), affectedServices: someOf });
  const changed = fc.option(
    fc.record({ service: fc.constantFrom(...SERVICES), startedAt: fc.integer({ min: -2, max: 9 }) }),
  );
  fc.assert(
    fc.property(
      grouping,
      fc.array(fc.tuple(someOf, named), { maxLength: 4 }),
      fc.infiniteStream(named),
      changed,
      (...drawn) => {
        const [groups, before, names, change] = drawn;
        const changes = change === null ? [] : [{ ...changeOf(targetOf()), ...change, finishedAt: change.startedAt }];
        let open: readonly Incident[] = before.map(([trouble, name], index) => ({
          ...incident(`${index}`, trouble),
          ...name,
          detectedAt: -1,
        }));
        const apart = apartOf(open);
        for (let at = 0; at < 10; at += 1) {
          const { homes, left, merged, rest } = allot(open, groups, apart, { at, changes });
          const gone = new Set(merged.map(({ from }) => from.id));
          if (at > APART_LOOKS) {
            expect({ at, rest, merged: [...gone] }).toEqual({ at, rest: [], merged: [] });
            expect([...homes.values()].flat().sort()).toEqual([...SERVICES]);
          }
          const kept = open
            .filter(({ id }) => !gone.has(id))
            .map((one) => ({ ...withServices(one, homes.get(one.id) ?? [], left.get(one.id) ?? [], at) }))
            .map((one) => ({ ...one, affectedServices: [...SERVICES] }));
          open = [
            ...kept,
            ...rest.map((group) => ({ ...incident(`${at} ${group}`, group), ...names.next().value, detectedAt: at })),
          ];
        }
      },
    ),
    { numRuns: 500 },
  );
});
