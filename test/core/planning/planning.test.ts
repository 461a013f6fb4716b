import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Condition, Config, ServiceConfig } from "../../../core/config/config.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Decision } from "../../../core/model/decision.ts";
import type { FlagState, Revision, Rollout } from "../../../core/model/evidence.ts";
import { compareVersions, coordinate } from "../../../core/planning/coordinate.ts";
import { provenAfterMs } from "../../../core/planning/known-good.ts";
import { planTargets, targetsFor } from "../../../core/planning/plan-targets.ts";
import { testConfig } from "../assessment/config.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";

const NOW = T0 + 10 * MINUTE;
const provider = change({ id: "p", service: "stock", to: "v2.0.0", startedAt: T0 - 5 * MINUTE });
const consumer = change({ id: "c", service: "cart", requires: { stock: "v2.0.0" } });

describe("the coordinated set", () => {
  const order = (culprit: Change, ...changes: Change[]) => coordinate([culprit], [culprit, ...changes], NOW).order;

  it.each<readonly [string, readonly Change[], readonly string[]]>([
    ["is the culprit alone where nobody depends on it", [change({ id: "x", service: "web" })], ["p"]],
    ["has the dependant first", [consumer], ["c", "p"]],
    [
      "follows dependants of dependants",
      [consumer, change({ id: "d", service: "web", requires: { cart: "v1.1.0" } })],
      ["d", "c", "p"],
    ],
    [
      "leaves out who needs no more than what will be restored",
      [change({ id: "x", service: "web", requires: { stock: "v1.0.0" } })],
      ["p"],
    ],
    [
      "takes in who needs a version between",
      [change({ id: "x", service: "web", requires: { stock: "v1.5.0" } })],
      ["x", "p"],
    ],
    [
      "leaves out a dependant that was since replaced",
      [consumer, change({ id: "e", service: "cart", startedAt: T0 + 5 * MINUTE })],
      ["p"],
    ],
    [
      "takes in its replacement that needs it too",
      [consumer, change({ id: "e", service: "cart", startedAt: T0 + 5 * MINUTE, requires: { stock: "v2.0.0" } })],
      ["e", "p"],
    ],
    ["does not undo its own rollbacks", [{ ...consumer, ownRollback: true }], ["p"]],
    ["leaves out what came before the culprit", [{ ...consumer, startedAt: T0 - 60 * MINUTE }], ["p"]],
  ])("%s", (_name, changes, expected) => {
    expect(order(provider, ...changes)).toEqual(expected);
  });

  it("ends in a circle of requirements, with each change once", () => {
    const a = change({ id: "a", service: "a", requires: { b: "v1.1.0" } });
    const b = change({ id: "b", service: "b", requires: { a: "v1.1.0" } });
    expect([...order(a, b)].sort()).toEqual(["a", "b"]);
  });

  it("says why", () => {
    expect(coordinate([provider], [provider, consumer], NOW).because[0]).toContain(
      "requires stock v2.0.0, which a rollback of stock v2.0.0 removes",
    );
  });

  it.each([
    ["v1.10.0", "v1.9.2", 1],
    ["v1.0.0", "v1.0.0", 0],
    ["2024-01-02", "2024-01-10", -1],
    ["v2", "v1.9.9", 1],
  ])("orders %s and %s by their numbers", (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
    expect(Math.sign(compareVersions(b, a))).toBe(sign === 0 ? 0 : -sign);
  });
});

const decision = (changeIds: string[], action: Decision["action"] = "rollback"): Decision => ({
  action,
  service: "cart",
  culprit: null,
  changeIds,
  automatic: true,
  needsPerson: [],
  why: ["because"],
  hotfix: null,
  decidedAt: NOW,
});
const revision = (number: number, version: string, current = false) => ({
  revision: String(number),
  version,
  createdAt: T0 - (10 - number) * 60 * MINUTE,
  current,
});
const rollout = (replaced: Partial<Rollout> = {}): Rollout => ({
  service: "cart",
  workload: { kind: "Deployment", namespace: "production", name: "cart" },
  version: "v1.1.0",
  revision: "4",
  status: "complete",
  replicas: { desired: 2, updated: 2, ready: 2, available: 2 },
  restarts: 0,
  revisions: [revision(2, "v0.9.0"), revision(3, "v1.0.0"), revision(4, "v1.1.0", true)],
  observedAt: NOW,
  ...replaced,
});
const service = (replaced: Partial<ServiceConfig> = {}): ServiceConfig => ({
  namespace: "production",
  workload: null,
  argocdApplication: null,
  flags: [],
  criticality: "medium",
  revenuePerMinute: null,
  routes: [],
  mode: null,
  ...replaced,
});

describe("a rollback's target", () => {
  const plan = (
    rollouts: readonly Rollout[],
    changes: readonly Change[] = [change()],
    pastBad?: ReadonlyMap<string, ReadonlySet<string>>,
  ) =>
    planTargets(decision(["deploy-cart"]), emptyCase({ changes, rollouts }), testConfig(), pastBad ? { pastBad } : {});

  it("expects what is there now and restores the version before it", () => {
    expect(plan([rollout()]).targets).toEqual([
      {
        action: "kubectl_rollout_undo",
        service: "cart",
        changeId: "deploy-cart",
        object: { kind: "Deployment", namespace: "production", name: "cart" },
        expected: { version: "v1.1.0", revision: "4" },
        restore: { version: "v1.0.0", revision: "3" },
      },
    ]);
  });

  it.each<readonly [string, readonly Change[], ReadonlyMap<string, ReadonlySet<string>> | undefined]>([
    [
      "we took back before",
      [change({ id: "undo", from: "v1.0.0", to: "v0.9.0", startedAt: T0 - 90 * MINUTE, ownRollback: true })],
      undefined,
    ],
    [
      "people took back within the hour",
      [
        change({ id: "a", from: "v0.9.0", to: "v1.0.0", startedAt: T0 - 90 * MINUTE }),
        change({ id: "b", from: "v1.0.0", to: "v0.9.0", startedAt: T0 - 70 * MINUTE }),
      ],
      undefined,
    ],
    ["an earlier incident blamed", [], new Map([["cart", new Set(["v1.0.0"])]])],
  ])("is the known-good version, not merely the previous one that %s", (_name, changes, pastBad) => {
    expect(plan([rollout()], [change(), ...changes], pastBad).targets[0]?.restore).toEqual({
      version: "v0.9.0",
      revision: "2",
    });
  });

  it("deploying a version again that was rolled back does not make the good one bad", () => {
    const changes = [
      change({ id: "bad", from: "v1.0.0", to: "v1.1.0", startedAt: T0 - 50 * MINUTE }),
      change({ id: "undo", from: "v1.1.0", to: "v1.0.0", startedAt: T0 - 40 * MINUTE, ownRollback: true }),
      change({ id: "deploy-cart", from: "v1.0.0", to: "v1.1.0", startedAt: T0 - 30 * MINUTE }),
    ];
    expect(plan([rollout()], changes).targets[0]?.restore.version).toBe("v1.0.0");
  });

  it("going back past several versions takes back each of them", () => {
    const changes = [
      change({ id: "a", from: "v0.9.0", to: "v0.9.5", startedAt: T0 - 50 * MINUTE }),
      change({ id: "b", from: "v0.9.5", to: "v1.0.0", startedAt: T0 - 45 * MINUTE }),
      change({ id: "c", from: "v1.0.0", to: "v0.9.0", startedAt: T0 - 40 * MINUTE }),
    ];
    expect(plan([rollout()], [change(), ...changes]).targets[0]?.restore.version).toBe("v0.9.0");
  });

  it.each<readonly [string, readonly Rollout[], RegExp]>([
    ["there is no earlier revision", [rollout({ revisions: [revision(4, "v1.1.0", true)] })], /no earlier revision/],
    ["another version stands there by now", [rollout({ version: "v1.2.0" })], /is at v1.2.0 now/],
    ["no workload is known", [], /no workload of cart is known/],
  ])("does not exist where %s, and the obstacle says so", (_name, rollouts, words) => {
    const { targets, obstacles } = plan(rollouts);
    expect(targets).toEqual([]);
    expect(obstacles.join()).toMatch(words);
  });

  it("is the revision before it where only the template changed and the version stayed", () => {
    const same = change({ from: "v1.1.0", to: "v1.1.0", toRevision: "4", fromRevision: "3" });
    const revisions = [revision(2, "v1.0.0"), revision(3, "v1.1.0"), revision(4, "v1.1.0", true)];
    expect(plan([rollout({ revisions })], [same]).targets[0]?.restore).toEqual({ version: "v1.1.0", revision: "3" });
  });

  it("does not exist where another revision of the same version stands there by now", () => {
    const { obstacles } = plan([rollout({ revision: "5" })], [change({ toRevision: "4" })]);
    expect(obstacles.join()).toContain("is at revision 5 now");
  });

  it("does not exist where every earlier version was rolled back", () => {
    const pastBad = new Map([["cart", new Set(["v1.0.0", "v0.9.0"])]]);
    expect(plan([rollout()], [change()], pastBad).obstacles.join()).toContain("was itself rolled back");
  });

  const PROVEN = provenAfterMs(testConfig());
  it.each<readonly [string, Partial<Revision>, string, RegExp | null]>([
    ["served just long enough", { servedMs: PROVEN }, "v1.0.0", null],
    ["served a moment too briefly", { servedMs: PROVEN - 1 }, "v0.9.0", /v1\.0\.0 \(revision 3\) served for .* only/],
    ["lived for seconds by its creation", { createdAt: NOW - 5000 }, "v0.9.0", /served for 5s only/],
    ["never became ready", { becameReady: false, servedMs: 100 * PROVEN }, "v0.9.0", /never became ready/],
    ["became ready and served", { becameReady: true, servedMs: PROVEN }, "v1.0.0", null],
  ])("goes back to what has proved itself: where the previous version %s, to …", (_name, replaced, version, note) => {
    const current = { ...revision(4, "v1.1.0", true), createdAt: NOW };
    const revisions = [revision(2, "v0.9.0"), { ...revision(3, "v1.0.0"), ...replaced }, current];
    const { targets, notes } = plan([rollout({ revisions })]);
    expect(targets[0]?.restore.version).toBe(version);
    expect(notes).toEqual(note === null ? [] : [expect.stringMatching(note)]);
  });

  it.each<readonly [string, readonly Revision[], RegExp]>([
    [
      "never became ready",
      [{ ...revision(3, "v1.0.0"), becameReady: false }],
      /no known-good version .*never became ready/,
    ],
    ["lived for a minute", [{ ...revision(3, "v1.0.0"), servedMs: MINUTE }], /served for 1m only/],
    [
      "came back at a time that nobody knows",
      [revision(2, "v0.9.0"), { ...revision(3, "v1.0.0"), createdAt: T0 - 900 * MINUTE }].map((one, i) =>
        i === 0 ? { ...one, becameReady: false } : one,
      ),
      /v1\.0\.0 \(revision 3\) served for a time that is not known/,
    ],
  ])("does not exist where the only earlier version %s", (_name, earlier, words) => {
    const { targets, obstacles, noWayBack } = plan([rollout({ revisions: [...earlier, revision(4, "v1.1.0", true)] })]);
    expect(targets).toEqual([]);
    expect(obstacles.join()).toMatch(words);
    expect(noWayBack).toBe("deploy-cart");
  });

  it.each<readonly [string, readonly Change[], string | null]>([
    ["no known change brought it", [], "v1.0.0"],
    ["was brought long before", [change({ id: "a", from: "v0.9.0", to: "v1.0.0", startedAt: T0 - PROVEN })], "v1.0.0"],
    [
      "was brought a minute before",
      [change({ id: "a", from: "v0.9.0", to: "v1.0.0", startedAt: T0 - MINUTE })],
      "v0.9.0",
    ],
    [
      "and the one before it were brought within minutes, from nothing",
      [
        change({ id: "a", from: "", to: "v0.9.0", startedAt: T0 - 2 * MINUTE }),
        change({ id: "b", from: "v0.9.0", to: "v1.0.0", startedAt: T0 - MINUTE }),
      ],
      null,
    ],
  ])("where changes alone are known and the previous version %s", (_name, changes, version) => {
    const config = testConfig({ services: { cart: service() } });
    const { targets } = targetsFor(emptyCase({ changes: [change(), ...changes] }), config, ["deploy-cart"]);
    expect(targets[0]?.restore.version ?? null).toBe(version);
  });

  it("needs the longest of the policies' durations and the time in which a recovery shows", () => {
    const config = testConfig();
    const condition = { ...(config.policies[0]?.conditions[0] as Condition), kind: "threshold", durationMs: 7_200_000 };
    const policies = [{ ...config.policies[0], conditions: [condition] }] as unknown as Config["policies"];
    expect(provenAfterMs(config)).toBe(config.feedback.timeoutMs);
    expect(provenAfterMs({ ...config, policies })).toBe(7_200_000);
  });

  it("is the Argo CD application where one is configured", () => {
    const config = testConfig({ services: { cart: service({ argocdApplication: "cart-prod" }) } });
    const { targets } = targetsFor(emptyCase({ changes: [change()], rollouts: [rollout()] }), config, ["deploy-cart"]);
    expect(targets[0]).toMatchObject({
      action: "argocd_sync_to_previous",
      object: { kind: "Application", name: "cart-prod" },
    });
  });

  it("is taken from the configuration and the change where no rollout is known", () => {
    const config = testConfig({ services: { cart: service() } });
    const { targets } = targetsFor(emptyCase({ changes: [change()] }), config, ["deploy-cart"]);
    expect(targets[0]).toMatchObject({
      expected: { version: "v1.1.0" },
      restore: { version: "v1.0.0" },
      object: { name: "cart" },
    });
  });
});

describe("a flag's target", () => {
  const flag = change({ id: "flag", kind: "flag", flag: "fast-cart", from: "off", to: "on" });
  const state: FlagState = { key: "fast-cart", environment: "production", enabled: true, version: "17", services: [] };

  it("expects the flag's version, on, and leaves it off", () => {
    const file = emptyCase({ changes: [flag], flags: [state] });
    expect(planTargets(decision(["flag"], "feature_flag_disable"), file, testConfig()).targets).toMatchObject([
      {
        action: "feature_flag_disable",
        environment: "production",
        expected: { version: "17", revision: "on" },
        restore: { revision: "off" },
      },
    ]);
  });

  it("does not exist where the flag is off already: nothing to do is no success", () => {
    const file = emptyCase({ changes: [flag], flags: [{ ...state, enabled: false }] });
    expect(planTargets(decision(["flag"], "feature_flag_disable"), file, testConfig()).obstacles.join()).toContain(
      "off already",
    );
  });

  const switched = (environment?: string): Change => ({
    ...flag,
    ...(environment === undefined ? {} : { environment }),
  });
  const production = state;
  const staging = { ...state, environment: "staging", version: "3" };
  it.each<readonly [string, Change, readonly FlagState[], RegExp]>([
    [
      "was switched where it is not known",
      switched("production"),
      [staging],
      /switched in production, .* staging alone/,
    ],
    [
      "is known in two, and the change names none",
      switched(),
      [production, staging],
      /does not say in which environment/,
    ],
  ])("does not exist in another environment: a flag that %s", (_name, one, flags, words) => {
    const { targets, obstacles } = targetsFor(emptyCase({ changes: [one], flags }), testConfig(), ["flag"]);
    expect(targets).toEqual([]);
    expect(obstacles.join()).toMatch(words);
  });

  it("is in the environment where it was switched, whatever order they are read in", () => {
    for (const flags of [
      [production, staging],
      [staging, production],
    ]) {
      const { targets } = targetsFor(emptyCase({ changes: [switched("staging")], flags }), testConfig(), ["flag"]);
      expect(targets).toMatchObject([{ environment: "staging", expected: { version: "3" } }]);
    }
  });
});

describe("a plan", () => {
  it("is whole or not at all", () => {
    const changes = [change(), change({ id: "other", service: "stock" })];
    const { targets, obstacles } = targetsFor(emptyCase({ changes, rollouts: [rollout()] }), testConfig(), [
      "deploy-cart",
      "other",
    ]);
    expect(targets).toEqual([]);
    expect(obstacles).toHaveLength(1);
  });

  it("is empty for what takes nothing back", () => {
    const nothing = { targets: [], obstacles: [], notes: [], noWayBack: null };
    expect(planTargets(decision([], "no_action"), emptyCase(), testConfig())).toEqual(nothing);
    expect(planTargets(decision(["deploy-cart"], "hotfix_recommendation"), emptyCase(), testConfig())).toEqual(nothing);
  });

  it("never restores what is there now, whatever the history", () => {
    const versions = fc.array(fc.constantFrom("v1.1.0", "v1.0.0", "v0.9.0"), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(versions, (history) => {
        const revisions = [
          ...history.map((version, i) => revision(i + 1, version)),
          revision(history.length + 1, "v1.1.0", true),
        ];
        const file = emptyCase({
          changes: [change()],
          rollouts: [rollout({ revisions, revision: String(history.length + 1) })],
        });
        for (const { restore } of targetsFor(file, testConfig(), ["deploy-cart"]).targets) {
          expect(restore.version).not.toBe("v1.1.0");
          expect(Number(restore.revision)).toBeLessThanOrEqual(history.length);
        }
      }),
    );
  });
});
