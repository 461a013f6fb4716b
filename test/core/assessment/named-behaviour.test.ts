import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assess.ts";
import { episodes } from "../../../core/assessment/partition.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change, InfrastructureChange, WorkloadRef } from "../../../core/model/change.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base, shop } from "./trap.ts";
import { atS, deploy, type WorldOptions } from "./world.ts";

const config = testConfig();
const decisionOf = (file: CaseFile) => assess(file, config).decision;
const whyOf = (file: CaseFile) => decisionOf(file).why.join("\n");

const drain = (startS: number, more: Partial<InfrastructureChange> = {}): InfrastructureChange => ({
  id: `drain-${startS}`,
  kind: "infrastructure",
  place: "node worker-3",
  from: "",
  to: "cordoned and drained",
  startedAt: atS(startS),
  finishedAt: atS(startS + 120),
  source: "test",
  ...more,
});
const beside = (file: CaseFile, ...infrastructure: readonly InfrastructureChange[]): CaseFile => ({
  ...file,
  infrastructure,
});

/** Six services that nothing joins by calls, of which three fail from about their own change on. */
const apart = { services: { ...shop, mail: { rate: 50 }, search: { rate: 70 } }, seed: 3 };
const TRAIN = ["cart", "mail", "search", "stock"] as const;
const FAILING = TRAIN.slice(0, 3);
const commitOf = (index: number) => `${index}`.repeat(40);
const train = (of: (service: string, index: number) => Partial<Change>, errors = 0.3): WorldOptions => ({
  ...apart,
  changes: TRAIN.map((service, index) => deploy(service, 300 + 4 * index, of(service, index), 60)),
  effects: FAILING.map((service, index) => ({ service, fromS: 310 + 4 * index, errors, rampS: 50 })),
  versions: FAILING.map((service, index) => ({
    service,
    fromS: 300 + 4 * index,
    toS: 420,
    old: "v1.0.0",
    fresh: "v1.1.0",
    share: (s: number) => Math.min(1, Math.max(0, (s - 300) / 60)),
    oldErrors: 0.002,
    freshErrors: errors,
  })),
});
const ROOT: WorkloadRef = { kind: "Application", namespace: "argocd", name: "root" };
const MAP: WorkloadRef = { kind: "ConfigMap", namespace: "shop", name: "shared-env" };

describe("a release train", () => {
  it.each<[string, (service: string, index: number) => Partial<Change>, RegExp]>([
    ["one commit", () => ({ commit: commitOf(9) }), /3 services were deployed from commit 9{40} in one rollout/],
    [
      "one app of apps over several repositories",
      (_, index) => ({ commit: commitOf(index), releasedBy: [ROOT] }),
      /3 services were deployed by one sync of application root/,
    ],
    [
      "one ConfigMap, new to the templates of all",
      () => ({ releasedBy: [MAP] }),
      /3 services read ConfigMap shop\/shared-env, which was changed/,
    ],
  ])("of %s is one incident, and its affected parts are undone together, the healthy one not", async (_, of, said) => {
    const file = await caseAt(train(of), 480);
    expect(episodes(file)).toEqual([[...FAILING].sort()]);
    const { action, changeIds, why } = decisionOf(file);
    expect(action).toBe("rollback");
    expect([...changeIds].sort()).toEqual(
      FAILING.map((service, index) => `deploy-${service}-${300 + 4 * index}`).sort(),
    );
    expect(why.join("\n")).toMatch(said);
  });

  it("of one ConfigMap that was edited in place, which nothing here can undo, is put before people as one", async () => {
    const file = await caseAt(
      train(() => ({ kind: "config", workload: MAP, reversible: false })),
      480,
    );
    expect(episodes(file)).toEqual([[...FAILING].sort()]);
    const { action, needsPerson, hotfix } = decisionOf(file);
    expect(action).toBe("hotfix_recommendation");
    expect(needsPerson.join()).toMatch(/marked irreversible/);
    expect([...(hotfix?.changeIds ?? [])].sort()).toHaveLength(FAILING.length);
  });

  it("of ten teams that deploy at ten o'clock is none: each is judged by itself", async () => {
    const file = await caseAt(
      train((_, index) => ({ commit: commitOf(index) })),
      480,
    );
    expect(episodes(file).toSorted()).toEqual(FAILING.map((service) => [service]).toSorted());
  });
});

/** Pods of several services move: some requests fail for a quarter of a minute, at services that nobody deployed. */
const evicting: WorldOptions = {
  ...base,
  seed: 5,
  effects: [{ service: "cart", fromS: 305, errors: 0.25 }],
  changes: [deploy("stock", -3000)],
};

describe("node drains, cluster upgrades and autoscaling are no change of a service", () => {
  it.each<[string, Partial<InfrastructureChange>]>([
    ["a node that is drained", {}],
    ["a cluster that is upgraded", { place: "cluster production", from: "1.35.2", to: "1.36.3" }],
    ["a pool that is scaled down", { place: "pool general", from: "12 nodes", to: "9 nodes", message: "autoscaler" }],
  ])("%s explains, is named as what it is, and nothing is undone", async (_, more) => {
    const file = beside(await caseAt(evicting, 420), drain(300, more));
    const { decision, answers, changes } = assess(file, config);
    const [first] = answers.correlate_timing?.ranking.candidates ?? [];
    expect(first).toMatchObject({ changeId: "drain-300", service: more.place ?? "node worker-3" });
    expect(first?.probability).toBeGreaterThan(0.5);
    expect(decision).toMatchObject({ action: "no_action", culprit: null, changeIds: [] });
    expect(decision.why.join("\n")).toMatch(
      /no change of a service is the culprit.*: no change of a service, and nothing to undo/s,
    );
    expect(answers.correlate_timing?.reached).toBe(false);
    expect(changes.map(({ id }) => id)).not.toContain("drain-300");
  });

  it("one that ended hours before, or that stands for another service, says little or nothing", async () => {
    const file = await caseAt(evicting, 420);
    const long = assess(beside(file, drain(-9000)), config).answers.correlate_timing?.ranking;
    expect(long?.candidates.map(({ changeId }) => changeId)).not.toContain("drain--9000");
    const lone = await caseAt({ ...evicting, services: { ...shop, ledger: { rate: 20 } } }, 420);
    expect(whyOf(beside(lone, drain(300, { place: "ledger" })))).toBe(whyOf(lone));
  });

  it("moves no decision and takes no probability from any change, however many there are (property)", async () => {
    const worlds: WorldOptions[] = [
      evicting,
      { ...base, changes: [deploy("pay", 300)], effects: [{ service: "pay", fromS: 310, errors: 0.4, rampS: 60 }] },
      { ...base, changes: [deploy("pay", 300)], effects: [{ service: "cart", fromS: 310, errors: 0.4 }] },
      train(() => ({ commit: commitOf(9) })),
    ];
    const cases = await Promise.all(worlds.map((world) => caseAt(world, 460)));
    const judged = (file: CaseFile) => {
      const { decision, answers, targets, services } = assess(file, config);
      const { action, changeIds, culprit, automatic, needsPerson } = decision;
      const ids = new Set(file.changes.map(({ id }) => id));
      const odds = (answers.correlate_timing?.ranking.candidates ?? []).filter(({ changeId }) => ids.has(changeId));
      const likely = odds.map(({ changeId, probability }) => [changeId, probability.toFixed(9)]);
      const reached = answers.correlate_timing?.reached;
      return { action, changeIds, culprit, automatic, needsPerson, targets, services, likely, reached };
    };
    const events = fc.array(
      fc.record({
        startS: fc.integer({ min: -1500, max: 450 }),
        place: fc.constantFrom("node a", "pool b", "cluster", "pay", "cart"),
        isOpen: fc.boolean(),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...cases), events, (file, drawn) => {
        const infrastructure = drawn.map(({ startS, place, isOpen }, index) =>
          drain(startS, { id: `ground-${index}`, place, ...(isOpen ? { finishedAt: null } : {}) }),
        );
        const with_ = beside(file, ...infrastructure);
        expect(judged(with_)).toEqual(judged(file));
        const { candidates = [], noChangeProbability = null } =
          assess(with_, config).answers.correlate_timing?.ranking ?? {};
        expect(candidates.reduce((sum, { probability }) => sum + probability, noChangeProbability ?? 0)).toBeCloseTo(
          1,
          9,
        );
      }),
      { numRuns: 60 },
    );
  });
});
