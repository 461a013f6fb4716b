import { describe, expect, it } from "vitest";
import { assess, createAssessor, episodes } from "../../../core/assessment/assessor.ts";
import { UnshipError } from "../../../core/errors.ts";
import type { Sources } from "../../../core/ports.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base, shop } from "./trap.ts";
import { atS, createWorld, deploy, START } from "./world.ts";

const { signal } = new AbortController();
const bad = {
  ...base,
  changes: [deploy("cart", 300)],
  effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 60 }],
};
const down = async (): Promise<never> => {
  throw new UnshipError("source.unavailable", { source: "recording" });
};

describe("sources that fail", () => {
  const broken: readonly (readonly [string, (sources: Sources) => Sources, string])[] = [
    ["metrics", (s) => ({ ...s, metrics: s.metrics.map((one) => ({ ...one, range: down })) }), "metrics: error_rate"],
    ["changes", (s) => ({ ...s, changes: [{ name: "recording", changes: down }] }), "changes"],
    ["logs", (s) => ({ ...s, logs: [{ name: "recording", search: down }] }), "logs"],
    ["traces", (s) => ({ ...s, traces: [{ name: "recording", spans: down }] }), "spans"],
    ["topology", (s) => ({ ...s, topology: [{ name: "recording", topology: down }] }), "topology"],
    ["flags", (s) => ({ ...s, flags: [{ name: "recording", flags: down }] }), "flags"],
    ["rollouts", (s) => ({ ...s, rollouts: [{ name: "recording", rollouts: down }] }), "rollouts"],
    ["alerts", (s) => ({ ...s, alerts: [{ name: "recording", alerts: down }] }), "alerts"],
  ];
  it.each(broken)("%s become a gap with our own words, never an exception", async (_name, breaking, what) => {
    const world = createWorld(bad);
    world.now = atS(420);
    const assessor = createAssessor({ sources: breaking(world.sources), config: testConfig() });
    const file = await assessor.gather(world.now, signal);
    const gap = file.gaps.find((one) => one.what === what);
    expect(gap?.because).toBe("recording gave no usable answer; what it would say is unknown.");
    expect(() => assess(file, testConfig())).not.toThrow();
  });

  it("nobody who would tell of changes is one as well: nothing is known of changes, not that there are none", async () => {
    const world = createWorld(bad);
    world.now = atS(420);
    const assessor = createAssessor({ sources: { ...world.sources, changes: [] }, config: testConfig() });
    const assessed = assess(await assessor.gather(world.now, signal), testConfig());
    expect(assessed.unheard).toEqual(["changes are unknown: no source of changes is configured"]);
    expect(assessed.decision.why.join()).not.toContain("is the culprit, probability");
  });

  it("of metrics leave nothing worse and nothing healthy: no action", async () => {
    const world = createWorld({ ...bad, gap: [290, 2000] });
    const assessor = createAssessor({ sources: world.sources, config: testConfig() });
    world.now = atS(600);
    const file = await assessor.gather(world.now, signal);
    expect(file.findings.every(({ verdict }) => verdict === "unknown")).toBe(true);
    expect(file.findings.length).toBeGreaterThan(0);
    expect(assess(file, testConfig(), ["cart"]).decision).toMatchObject({ action: "no_action" });
    expect(assess(file, testConfig(), ["cart"]).decision.needsPerson.length).toBeGreaterThan(0);
  });
});

describe("a tick", () => {
  it("reads only what is new, and comes to what one reading of everything comes to", async () => {
    const world = createWorld(bad);
    const asked: number[] = [];
    const counting: Sources = {
      ...world.sources,
      metrics: world.sources.metrics.map((one) => ({
        ...one,
        range: (query, abort) => {
          if (query.stepMs < 300_000) asked.push(query.window.to - query.window.from);
          return one.range(query, abort);
        },
      })),
    };
    const assessor = createAssessor({ sources: counting, config: testConfig() });
    let findings = [] as readonly { readonly service: string; readonly metric: string; readonly verdict: string }[];
    for (let s = 0; s <= 420; s += 15) {
      world.now = atS(s);
      asked.length = 0;
      ({ findings } = await assessor.tick(world.now, signal));
      if (s > 0) expect(Math.max(...asked)).toBeLessThanOrEqual(15_000 + 2 * 15_000 + 60_000);
    }
    const short = ({ service, metric, verdict }: (typeof findings)[number]) => `${service} ${metric} ${verdict}`;
    const whole = await caseAt(bad, 420);
    expect(findings.map(short).sort()).toEqual(whole.findings.map(short).sort());
  });

  it("goes on from a stored state", async () => {
    const world = createWorld(bad);
    const first = createAssessor({ sources: world.sources, config: testConfig() });
    for (let s = 0; s <= 330; s += 15) {
      world.now = atS(s);
      await first.tick(world.now, signal);
    }
    const second = createAssessor({ sources: world.sources, config: testConfig() });
    second.restore(JSON.parse(JSON.stringify(first.state())));
    for (let s = 345; s <= 420; s += 15) {
      world.now = atS(s);
      expect((await second.tick(world.now, signal)).findings).toEqual((await first.tick(world.now, signal)).findings);
    }
  });
});

describe("episodes", () => {
  it("join whoever is hurt through the call graph by one cause", async () => {
    expect(episodes(await caseAt(bad, 420))).toEqual([["cart", "gateway", "web"]]);
  });

  it("keep troubles of different times at unrelated services apart, the older first", async () => {
    const two = {
      ...base,
      minutes: 40,
      effects: [
        { service: "stock", fromS: 300, errors: 0.2, spread: 0 },
        { service: "pay", fromS: 1500, errors: 0.2, spread: 0 },
      ],
    };
    expect(episodes(await caseAt(two, 1600))).toEqual([["stock"], ["pay"]]);
  });

  it("join unrelated services that are hurt at the very same time: one shared cause is likelier than two", async () => {
    const node = {
      ...base,
      effects: ["stock", "pay"].map((service) => ({ service, fromS: 300, errors: 0.2, spread: 0 })),
    };
    expect(episodes(await caseAt(node, 420))).toEqual([["pay", "stock"]]);
  });

  it("do not exist while nothing is worse", async () => {
    const file = await caseAt({ services: shop }, 600);
    expect(episodes(file)).toEqual([]);
    expect(assess(file, testConfig()).decision.why).toEqual(["nothing is worse than its baseline"]);
  });
});

describe("baselines", () => {
  it("are what each signal was before the trouble, with limits that its own history keeps", async () => {
    const { baselines } = assess(await caseAt(bad, 500), testConfig());
    const errors = baselines.find(({ service, metric }) => service === "cart" && metric === "error_rate");
    expect(errors?.center).toBeLessThan(0.01);
    expect(errors?.upper).toBeLessThan(0.05);
    expect(errors?.requestRate).toBeGreaterThan(60);
    const p99 = baselines.find(({ service, metric }) => service === "cart" && metric === "p99_latency");
    expect(p99?.upper).toBeGreaterThan(p99?.center ?? 0);
    expect(p99?.lower).toBeLessThan(p99?.center ?? 0);
  });

  it("do not exist for a signal without a history", async () => {
    const file = await caseAt({ services: { web: {} }, historyS: 45, minutes: 1 }, 0);
    expect(assess(file, testConfig(), ["web"]).baselines).toEqual([]);
  });
});

it("never shows anything that is later than the case", async () => {
  const file = await caseAt(bad, 330);
  expect(file.at).toBe(START + 330_000);
  for (const { startAt, stepMs, values } of file.series)
    expect(startAt + (values.length - 1) * stepMs).toBeLessThanOrEqual(file.at);
});
