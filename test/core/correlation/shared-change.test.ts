import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sharedChange } from "../../../core/correlation/shared-change.ts";
import type { Change } from "../../../core/model/change.ts";
import { undoRelease } from "../../../core/planning/undo-release.ts";

const T0 = 1_767_268_800_000;
const SECOND = 1000;
const COMMIT = "9f2c1e7a".repeat(5);

const deploy = (service: string, at: number, more: Partial<Change> = {}): Change => ({
  id: `deploy:${service}:${at}`,
  kind: "deploy",
  service,
  from: "1.0.0",
  to: "1.1.0",
  startedAt: T0 + at * SECOND,
  finishedAt: T0 + (at + 60) * SECOND,
  source: "kubernetes",
  reversible: true,
  commit: COMMIT,
  workload: { kind: "Deployment", namespace: "shop", name: service },
  ...more,
});
const config = (service: string, at: number, name: string, more: Partial<Change> = {}): Change => {
  const { commit: _, ...rest } = deploy(service, at);
  return {
    ...rest,
    id: `config:${service}:${at}`,
    kind: "config",
    workload: { kind: "ConfigMap", namespace: "shop", name },
    ...more,
  };
};
const flag = (service: string, at: number, key: string, environment = "production"): Change => {
  const { commit: _, workload: _w, ...rest } = deploy(service, at);
  return { ...rest, id: `flag:${service}:${at}`, kind: "flag", flag: key, environment };
};
const ROOT = { kind: "Application", namespace: "argocd", name: "root" };
const MAP = { kind: "ConfigMap", namespace: "shop", name: "shared-env" };
const groups = (changes: readonly Change[]) => sharedChange(changes).map(({ services }) => services);
const train = Array.from({ length: 20 }, (_, index) => deploy(`svc-${index}`, index * 5));

describe("changes that are one act of release", () => {
  it("a release train: one commit, twenty services", () => {
    const [one, ...more] = sharedChange(train);
    expect(more).toEqual([]);
    expect(one?.changeIds).toEqual(train.map(({ id }) => id));
    expect(one?.because).toEqual([`20 services were deployed from commit ${COMMIT} in one rollout`]);
  });

  it.each<[string, readonly Change[], readonly (readonly string[])[]]>([
    [
      "an app of apps: applications synced to one commit",
      ["a", "b"].map((name) => deploy(name, 0, { workload: { kind: "Application", namespace: "argocd", name } })),
      [["a", "b"]],
    ],
    [
      "one ConfigMap that several services read",
      ["a", "b", "c"].map((name) => config(name, 0, "shared-env")),
      [["a", "b", "c"]],
    ],
    [
      "an app of apps over several repositories: children that one sync of their parent changed",
      ["a", "b", "c"].map((name, index) =>
        deploy(name, index, { commit: `${index}`.repeat(40), releasedBy: [{ ...ROOT, name: "root@abc" }] }),
      ),
      [["a", "b", "c"]],
    ],
    [
      "children of two parents",
      ["a", "b"].map((name) => deploy(name, 0, { commit: "", releasedBy: [{ ...ROOT, name: `root-${name}` }] })),
      [],
    ],
    [
      "templates that came to read one ConfigMap, beside one that read another and that too",
      [
        deploy("a", 0, { commit: "", releasedBy: [MAP] }),
        deploy("b", 1, { commit: "", releasedBy: [{ ...MAP, name: "b-env" }, MAP] }),
        deploy("c", 2, { commit: "", releasedBy: [{ ...MAP, name: "c-env" }] }),
      ],
      [["a", "b"]],
    ],
    [
      "a ConfigMap edited in place, and the restarts that followed it",
      [config("a", 0, "shared-env"), deploy("b", 5, { commit: "", releasedBy: [MAP] })],
      [["a", "b"]],
    ],
    ["two ConfigMaps", [config("a", 0, "a-env"), config("b", 0, "b-env")], []],
    ["a flag that several services evaluate", [flag("a", 0, "new-cart"), flag("b", 1, "new-cart")], [["a", "b"]]],
    ["one flag in two environments", [flag("a", 0, "new-cart"), flag("b", 0, "new-cart", "staging")], []],
    ["a commit told at two lengths", [deploy("a", 0), deploy("b", 1, { commit: COMMIT.slice(0, 7) })], [["a", "b"]]],
    [
      "deploys of different commits at one moment: ten teams deploy at ten o'clock",
      [deploy("a", 0), deploy("b", 0, { commit: "1234567" })],
      [],
    ],
    ["deploys of which nobody knows the commit", [deploy("a", 0, { commit: "" }), deploy("b", 0, { commit: "" })], []],
    ["one commit, deployed again an hour later to another service", [deploy("a", 0), deploy("b", 3600)], []],
    [
      "a wave that begins when the one before it has ended, long after",
      [deploy("a", 0, { finishedAt: T0 + 900 * SECOND }), deploy("b", 902)],
      [["a", "b"]],
    ],
    [
      "a wave while the one before it still rolls out",
      [deploy("a", 0, { finishedAt: null }), deploy("b", 2000)],
      [["a", "b"]],
    ],
    [
      "two objects of one service alone",
      [deploy("a", 0), deploy("a", 5, { id: "x", workload: { kind: "CronJob", namespace: "shop", name: "a-job" } })],
      [],
    ],
    ["our own rollbacks", [deploy("a", 0, { ownRollback: true }), deploy("b", 1, { ownRollback: true })], []],
    [
      "a second deploy of the same object begins another act",
      [deploy("a", 0), deploy("b", 1), deploy("a", 100), deploy("b", 101)],
      [
        ["a", "b"],
        ["a", "b"],
      ],
    ],
    [
      "a commit that carries a ConfigMap too",
      [deploy("a", 0), deploy("b", 1), config("b", 2, "shared-env", { commit: COMMIT }), config("c", 3, "shared-env")],
      [["a", "b", "c"]],
    ],
  ])("%s", (_, changes, expected) => {
    expect(groups(changes)).toEqual(expected);
  });

  it("does not depend on the order of what comes in, and puts each change into one group at most", () => {
    const drawn = fc.array(
      fc.record({
        service: fc.constantFrom("a", "b", "c", "d"),
        at: fc.integer({ min: 0, max: 2000 }),
        commit: fc.constantFrom(COMMIT, "1234567", ""),
        map: fc.constantFrom(null, "shared-env", "other-env"),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(drawn, fc.infiniteStream(fc.nat()), (many, numbers) => {
        const changes = many.map(({ service, at, commit, map }, index) => ({
          ...(map === null ? deploy(service, at, { commit }) : config(service, at, map, { commit })),
          id: `change-${index}`,
        }));
        const keys = new Map(changes.map((one) => [one.id, numbers.next().value]));
        const mixed = changes.toSorted((a, b) => Number(keys.get(a.id)) - Number(keys.get(b.id)));
        const found = sharedChange(changes);
        expect(sharedChange(mixed)).toEqual(found);
        const ids = found.flatMap(({ changeIds }) => changeIds);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { services, because } of found) {
          expect(services.length).toBeGreaterThan(1);
          expect(because.length).toBeGreaterThan(0);
        }
      }),
    );
  });

  it("is not changed by deploys elsewhere, with commits of their own", () => {
    const others = Array.from({ length: 100 }, (_, index) =>
      deploy(`other-${index}`, index, { commit: `${index}`.padStart(7, "0") }),
    );
    expect(sharedChange([...others, ...train])).toEqual(sharedChange(train));
  });
});

describe("undoing a release", () => {
  const shared = sharedChange(train);
  const undo = (affected: readonly string[]) => undoRelease("deploy:svc-3:15", shared, train, new Set(affected));

  it("takes the parts of all affected services back together, the newest first, and says what stays", () => {
    const found = undo(["svc-3", "svc-7", "svc-1"]);
    expect(found?.changeIds).toEqual(["deploy:svc-7:35", "deploy:svc-3:15", "deploy:svc-1:5"]);
    expect(found?.notes.at(-1)).toMatch(
      /^svc-0, svc-2, .* of the same release stay as they are: they are not affected$/,
    );
  });

  it("has nothing to say of one part alone, or of a change that is part of no release", () => {
    expect(undo(["svc-3"])).toBeNull();
    expect(undoRelease("deploy:svc-3:15", [], train, new Set(["svc-3", "svc-7"]))).toBeNull();
  });
});
