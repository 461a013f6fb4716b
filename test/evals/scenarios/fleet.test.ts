import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FLEET } from "../../../evals/scenarios/families/fleet/index.ts";
import { families, generateBundle, type Told, tell } from "../../../evals/scenarios/generate.ts";
import { joinedTo } from "../../../evals/scenarios/world/islands.ts";
import { DAY, MINUTE, type PlannedChange } from "../../../evals/scenarios/world/model.ts";
import { figure } from "../../../evals/scenarios/world/node.ts";
import { simulate } from "../../../evals/scenarios/world/simulate.ts";
import { shareAt } from "../../../evals/scenarios/world/versions.ts";
import { expectItsWorldToBearItOut, expectOnlyTheGuiltyToMendIt } from "./story-checks.ts";

const FOLDER = join(import.meta.dirname, "../../../evals/scenarios/families/fleet");
const SEEDS = [1, 2] as const;

describe("the families of a fleet", () => {
  it("are all the files of their folder, and in no other set", () => {
    const files = readdirSync(FOLDER).filter((name) => name !== "index.ts");
    expect(families("fleet").map((name) => `${name}.ts`)).toEqual(files.sort());
    for (const other of ["shown", "held-out", "held-out-b"] as const)
      expect(families(other).filter((name) => families("fleet").includes(name))).toEqual([]);
  });

  it("are guilty and innocent in about equal parts", () => {
    const guilty = FLEET.filter(({ faulty }) => faulty).length;
    expect(guilty / FLEET.length).toBeGreaterThan(0.4);
    expect(guilty / FLEET.length).toBeLessThan(0.6);
  });

  it.each(families("fleet"))("%s has a truth that its own world bears out", (name) => {
    for (const seed of SEEDS) {
      const told = tell(name, seed);
      expectItsWorldToBearItOut(name, told);
      expectOnlyTheGuiltyToMendIt(told);
    }
  });
});

const guiltyOf = ({ scenario, truth }: Told): readonly PlannedChange[] =>
  scenario.changes.filter(({ id }) => truth.guilty.includes(id));
const outsiders = ({ scenario }: Told) => scenario.faults.filter(({ because }) => because === null);
/** The share of requests that a service fails at a time, or what else is asked of it. */
function valueAt(
  told: Told,
  service: string,
  at: number,
  without: readonly string[] = [],
  pick: "errors" | "p99" = "errors",
) {
  const course = simulate(
    told.scenario,
    { start: at - MINUTE, stepMs: 30_000, length: 3 },
    null,
    new Set(without),
  ).courses.get(service);
  if (course === undefined) throw new Error(`no ${service}`);
  return figure(course, 2, pick);
}
const lines = (text: string | undefined) =>
  (text ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Record<string, unknown> => JSON.parse(line));

describe("stories of a fleet are about what they say", () => {
  it.each(SEEDS)(
    "what has been degraded for weeks beside a bad deploy is joined to it by nothing (seed %i)",
    (seed) => {
      const told = tell("chronic-beside", seed);
      const [bad] = guiltyOf(told);
      const joined = joinedTo(bad?.service ?? "", told.scenario.system);
      const weeks = outsiders(told).filter(({ from }) => from < told.scenario.clock.watchStart - 14 * DAY);
      expect(weeks.length).toBeGreaterThan(0);
      expect(weeks.filter(({ service }) => joined.has(service))).toEqual([]);
    },
  );

  it.each(["chronic-own-deploy", "chronic-innocent-deploy"])(
    "%s: the service was as degraded two weeks ago, and stays so",
    (name) => {
      for (const seed of SEEDS) {
        const told = tell(name, seed);
        const { clock, faults } = told.scenario;
        const fault = faults.find(({ because, from }) => because === null && from < clock.watchStart - 20 * DAY);
        if (fault === undefined) throw new Error("nothing is chronic");
        const pick = fault.errors === undefined ? "p99" : "errors";
        const sound = { ...told, scenario: { ...told.scenario, faults: [] } };
        for (const at of [clock.watchStart - 10 * DAY, clock.watchEnd - MINUTE]) {
          const [now, usual] = [
            valueAt(told, fault.service, at, told.truth.guilty, pick),
            valueAt(sound, fault.service, at, [], pick),
          ];
          expect(now).toBeGreaterThan(pick === "errors" ? usual + 0.02 : 1.3 * usual);
        }
      }
    },
  );

  it.each(SEEDS)("the failing caller fails minutes before its callee's deploy, and without it (seed %i)", (seed) => {
    const told = tell("failing-caller", seed);
    const [bad] = guiltyOf(told);
    const [before] = outsiders(told);
    if (bad === undefined || before === undefined) throw new Error("no story");
    expect(bad.startedAt - before.from).toBeGreaterThan(1.9 * MINUTE);
    expect(
      told.scenario.system.calls.some(({ caller, callee }) => caller === before.service && callee === bad.service),
    ).toBe(true);
    expect(before.to).toBe(Number.POSITIVE_INFINITY);
  });

  it.each(SEEDS)(
    "two joined services, each with its own bad deploy, are two incidents with an onset each (seed %i)",
    (seed) => {
      const told = tell("joined-own-deploys", seed);
      const [one, other] = guiltyOf(told);
      if (one === undefined || other === undefined) throw new Error("no pair");
      expect(joinedTo(one.service, told.scenario.system).has(other.service)).toBe(true);
      const { incidents } = JSON.parse(generateBundle("joined-own-deploys", seed)["truth.json"] ?? "{}");
      expect(incidents.map(({ targets }: { targets: string[] }) => targets)).toEqual(
        expect.arrayContaining([[one.id], [other.id]]),
      );
      expect(new Set(incidents.map(({ onset }: { onset: string }) => onset)).size).toBe(2);
    },
  );

  it.each(SEEDS)(
    "a lost node keeps pods of services unready that nothing joins to the bad deploy (seed %i)",
    (seed) => {
      const told = tell("lost-node-beside", seed);
      const [bad] = guiltyOf(told);
      const joined = joinedTo(bad?.service ?? "", told.scenario.system);
      const unready = outsiders(told).filter((fault) => (fault.unready ?? 0) > 0);
      expect(new Set(unready.map(({ service }) => service)).size).toBeGreaterThanOrEqual(2);
      expect(unready.filter(({ service, to }) => joined.has(service) || Number.isFinite(to))).toEqual([]);
    },
  );

  it.each(SEEDS)("a bad commit reaches several services at once, all of which must go back (seed %i)", (seed) => {
    const told = tell("one-commit-bad", seed);
    const train = guiltyOf(told);
    expect(train.length).toBeGreaterThanOrEqual(3);
    expect(new Set(train.map(({ commit }) => commit)).size).toBe(1);
    expect(told.truth.targets).toHaveLength(train.length);
    expect(JSON.parse(generateBundle("one-commit-bad", seed)["truth.json"] ?? "{}").culprits).toEqual(
      told.truth.targets,
    );
    const starts = train.map(({ startedAt }) => startedAt);
    expect(Math.max(...starts) - Math.min(...starts)).toBeLessThanOrEqual(16_000);
  });

  it.each(SEEDS)("an innocent commit reaches none of those who call what fails (seed %i)", (seed) => {
    const { scenario } = tell("one-commit-innocent", seed);
    const [largest = []] = [...Map.groupBy(scenario.changes, ({ commit }) => commit).values()]
      .filter((train) => train[0]?.commit !== undefined)
      .sort((a, b) => b.length - a.length);
    expect(largest.length).toBeGreaterThanOrEqual(4);
    const callers = scenario.system.calls
      .filter(({ callee }) => callee === scenario.faults[0]?.service)
      .map(({ caller }) => caller);
    expect(largest.filter(({ service }) => callers.includes(service))).toEqual([]);
  });

  it.each(SEEDS)(
    "where nobody knows who calls whom neither a graph nor a trace is on record, and what is not measured has no sample (seed %i)",
    (seed) => {
      for (const name of ["edgeless-own-deploy", "edgeless-coincidence", "wide-outage"]) {
        const { scenario } = tell(name, seed);
        const files = generateBundle(name, seed);
        expect([files["topology.json"], files["spans.jsonl"]]).toEqual([undefined, undefined]);
        const measured = new Set(lines(files["series.jsonl"]).map(({ service }) => service));
        expect((scenario.unmeasured ?? []).filter((service) => measured.has(service))).toEqual([]);
      }
      const { scenario } = tell("edgeless-own-deploy", seed);
      const silent = new Set(scenario.unmeasured);
      expect(
        lines(generateBundle("edgeless-own-deploy", seed)["changes.jsonl"]).some(({ service }) =>
          silent.has(String(service)),
        ),
      ).toBe(true);
    },
  );

  it.each(SEEDS)("a coincidence fails both versions alike, while both serve (seed %i)", (seed) => {
    const told = tell("edgeless-coincidence", seed);
    const [fault] = outsiders(told);
    if (fault === undefined) throw new Error("nothing fails");
    const own = told.scenario.changes.filter(
      (change) => change.kind === "deploy" && Math.abs((change.shares[0]?.at ?? 0) - fault.from) < 10_000,
    );
    expect(own.length).toBeGreaterThan(0);
    expect(
      own.some((change) => {
        const share = shareAt(change, fault.from + 45_000);
        return share > 0 && share < 1;
      }),
    ).toBe(true);
    expect(fault.withVersion).toBeUndefined();
  });

  it.each(SEEDS)("a wide outage reaches a large part of all services within seconds (seed %i)", (seed) => {
    const { scenario } = tell("wide-outage", seed);
    const starts = scenario.faults.filter(({ from }) => from >= scenario.clock.watchStart).map(({ from }) => from);
    expect(starts.length).toBeGreaterThan(
      0.25 * scenario.system.services.filter(({ tier }) => tier !== "store" && tier !== "external").length,
    );
    expect(Math.max(...starts) - Math.min(...starts)).toBeLessThan(13_000);
  });

  it.each(SEEDS)(
    "a service with a request every few seconds is the one that its own deploy breaks (seed %i)",
    (seed) => {
      const told = tell("quiet-service-bad", seed);
      const [bad] = guiltyOf(told);
      const service = told.scenario.system.services.find(({ name }) => name === bad?.service);
      expect(service?.expectedRate).toBeLessThan(1);
    },
  );

  it.each(SEEDS)("who comes has samples from its deploy on, who goes has none at the end (seed %i)", (seed) => {
    const { scenario } = tell("comes-and-goes", seed);
    const series = lines(generateBundle("comes-and-goes", seed)["series.jsonl"]).filter(
      ({ metric, labels }) => metric === "request_rate" && labels === undefined,
    );
    const [comes, goes] = [
      scenario.lateStart[0]?.service,
      scenario.gaps.find(({ to }) => to === Number.POSITIVE_INFINITY)?.service,
    ];
    const [first, last] = [comes, goes].map((name) => series.find(({ service }) => service === name));
    expect(Number(first?.start) * 1000).toBeGreaterThan(scenario.clock.watchStart);
    expect(Array.isArray(last?.values) ? last.values.at(-1) : undefined).toBe(null);
  });
});
