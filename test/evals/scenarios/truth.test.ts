import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { families, tell } from "../../../evals/scenarios/generate.ts";
import type { Fault, PlannedChange, Scenario } from "../../../evals/scenarios/world/model.ts";
import { deriveTruth } from "../../../evals/scenarios/world/truth.ts";
import { visibilityOf } from "../../../evals/scenarios/world/visibility.ts";
import { at, deploy, fault, scenario } from "./small-world.ts";
import { expectItsWorldToBearItOut, expectOnlyTheGuiltyToMendIt } from "./story-checks.ts";

const bad = (change: PlannedChange, more: Partial<Fault> = {}): Fault => ({
  ...fault(change.service, 0, {
    because: change.id,
    from: change.startedAt,
    withVersion: change.kind === "deploy",
    errors: 0.2,
  }),
  ...more,
});
const flag: PlannedChange = {
  ...deploy("api", 70),
  id: "flag-api",
  kind: "flag",
  from: "off",
  to: "on",
  flag: "x",
  shares: [],
};
const migration: PlannedChange = { ...deploy("db", 70), id: "migration-db", kind: "migration", shares: [] };
const api = deploy("api", 70);
const web = deploy("web", 72, { requires: { api: "v1.2.0" } });

describe("the truth", () => {
  it.each<[string, Partial<Scenario>, string, string | null, readonly string[]]>([
    ["a bad deploy is rolled back", { changes: [api], faults: [bad(api)] }, "rollback", "deploy-api", ["deploy-api"]],
    [
      "a bad flag is switched off",
      { changes: [flag], faults: [bad(flag)] },
      "feature_flag_disable",
      "flag-api",
      ["flag-api"],
    ],
    [
      "a bad migration goes to people",
      { changes: [migration], faults: [bad(migration)] },
      "hotfix_recommendation",
      "migration-db",
      ["migration-db"],
    ],
    [
      "an irreversible deploy goes to people",
      { changes: [{ ...api, reversible: false }], faults: [bad(api)] },
      "hotfix_recommendation",
      "deploy-api",
      ["deploy-api"],
    ],
    [
      "who needs the bad version goes back with it",
      { changes: [api, web], faults: [bad(api)] },
      "rollback",
      "deploy-api",
      ["deploy-api", "deploy-web"],
    ],
    [
      "a caller that needs a version that never came is to blame itself",
      {
        changes: [{ ...api, startedAt: at(99), finishedAt: null, shares: [{ at: at(120), share: 1 }] }, web],
        faults: [],
      },
      "rollback",
      "deploy-web",
      ["deploy-web"],
    ],
    [
      "a caller deployed beside it stays",
      { changes: [api, deploy("web", 69)], faults: [bad(api)] },
      "rollback",
      "deploy-api",
      ["deploy-api"],
    ],
    [
      "two bad changes go back together",
      { changes: [api, deploy("web", 70)], faults: [bad(api), bad(deploy("web", 70), { errors: 0.08 })] },
      "rollback",
      "deploy-api",
      ["deploy-api", "deploy-web"],
    ],
    [
      "what no change made is left alone",
      { changes: [api], faults: [fault("api", 68, { errors: 0.3 })] },
      "no_action",
      null,
      [],
    ],
    [
      "what passes by itself is left alone",
      { changes: [api], faults: [bad(api, { to: at(72) })] },
      "no_action",
      null,
      [],
    ],
    [
      "what a deploy ended is left alone",
      { changes: [api], faults: [fault("api", -60, { errors: 0.3, fixedBy: "deploy-api" })] },
      "no_action",
      null,
      [],
    ],
    [
      "harm that nobody would notice is left alone",
      { changes: [api], faults: [bad(api, { errors: 0.0005 })] },
      "no_action",
      null,
      [],
    ],
    ["a healthy day is left alone", { changes: [api, deploy("web", 80)] }, "no_action", null, []],
  ])("%s", (_, world, action, culprit, targets) => {
    const truth = deriveTruth(scenario(world));
    expect(truth).toMatchObject({ action, culprit, faulty: culprit !== null });
    expect(new Set(truth.targets)).toEqual(new Set(targets));
    expect(truth.acceptable).toContain(action);
  });

  it("begins when the first pod of the version serves, not when the deploy was ordered", () => {
    const late = {
      ...api,
      shares: [
        { at: at(73), share: 0.5 },
        { at: at(75), share: 1 },
      ],
    };
    expect(deriveTruth(scenario({ changes: [late], faults: [bad(late)] })).onset).toBe(at(73));
  });

  it("begins when a delayed effect comes due", () => {
    expect(deriveTruth(scenario({ changes: [api], faults: [bad(api, { from: at(82) })] })).onset).toBe(at(82));
  });
});

describe("visibility", () => {
  it("grows with the effect, and says nothing where there is none", () => {
    const world = (errors: number) => scenario({ changes: [api], faults: [bad(api, { errors })] });
    const nats = [0, 0.002, 0.01, 0.1].map((errors) => visibilityOf(world(errors), ["deploy-api"], at(70)).nats);
    expect(nats[0]).toBeLessThan(1e-6);
    for (const [index, value] of nats.entries()) if (index > 0) expect(value).toBeGreaterThan(nats[index - 1] ?? 0);
  });

  it("comes sooner for a stronger effect", () => {
    const seen = (errors: number) =>
      visibilityOf(scenario({ changes: [api], faults: [bad(api, { errors })] }), ["deploy-api"], at(70)).at ??
      Number.POSITIVE_INFINITY;
    expect(seen(0.3)).toBeLessThanOrEqual(seen(0.02));
  });
});

describe("every story", () => {
  const told = fc.tuple(fc.constantFrom(...families()), fc.integer({ min: 0, max: 1_000_000 }));

  it("has a truth that its own world bears out", () => {
    fc.assert(
      fc.property(told, ([name, seed]) => expectItsWorldToBearItOut(name, tell(name, seed))),
      { numRuns: 25, seed: 1 },
    );
  });

  it("is mended by undoing the guilty, and by undoing nobody else", () => {
    fc.assert(
      fc.property(told, ([name, seed]) => expectOnlyTheGuiltyToMendIt(tell(name, seed))),
      { numRuns: 15, seed: 2 },
    );
  });
});
