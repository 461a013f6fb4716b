import { describe, expect, it } from "vitest";
import { createGateEvidence, KEPT_MS } from "../../../agent/compose/gate-evidence.ts";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import type { MetricQuery, Sources } from "../../../core/ports.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { base, shop } from "../../core/assessment/trap.ts";
import { createWorld, deploy } from "../../core/assessment/world.ts";

const FAILING = {
  ...base,
  services: shop,
  historyS: 1800,
  changes: [deploy("cart", 300)],
  effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 60 }],
};

/** The same sources, with what was asked of metrics written down. */
function listening(sources: Sources, asked: MetricQuery[]): Sources {
  const metrics = sources.metrics.map((source) => ({
    ...source,
    range: (query: MetricQuery, abort: AbortSignal) => {
      asked.push(query);
      return source.range(query, abort);
    },
  }));
  return { ...sources, metrics };
}

describe("what a gate reads itself", () => {
  it("is of samples only what is new since its last question, and says what it says when all is read at once", async () => {
    const world = createWorld(FAILING);
    const config = testConfig({ watch: { stepMs: world.stepMs } });
    const asked: MetricQuery[] = [];
    const evidence = createGateEvidence({
      sources: listening(world.sources, asked),
      config,
      clock: { now: () => world.now },
    });
    const into = (seconds: number) => world.startAt + seconds * 1000;
    world.now = into(240);
    await evidence.gather();
    const first = asked.splice(0);
    expect(Math.max(...first.map(({ window }) => window.to - window.from))).toBeGreaterThan(1_800_000);
    for (const seconds of [360, 420, 480]) {
      world.now = into(seconds);
      const known = await evidence.gather();
      const fresh = await createAssessor({ sources: world.sources, config }).gather(
        world.now,
        new AbortController().signal,
      );
      expect(assess(known, config).decision, `${seconds} s`).toEqual(assess(fresh, config).decision);
    }
    expect(asked.length).toBeGreaterThan(0);
    expect(Math.max(...asked.map(({ window }) => window.to - window.from))).toBeLessThanOrEqual(240_000);
  });

  it("is what is there now, also where it is asked twice at one moment", async () => {
    const world = createWorld(FAILING);
    const config = testConfig({ watch: { stepMs: world.stepMs } });
    let version = "1.0.0";
    const rollouts = [
      {
        name: "kubernetes",
        rollouts: async () => [
          {
            service: "cart",
            workload: { kind: "Deployment" as const, namespace: "shop", name: "cart" },
            status: "complete" as const,
            observedAt: world.now,
            versions: [{ version, weight: 1, ready: 2, desired: 2 }],
            deadlineExceeded: false,
            paused: false,
          },
        ],
      },
    ];
    const evidence = createGateEvidence({
      sources: { ...world.sources, rollouts } as never,
      config,
      clock: { now: () => world.now },
    });
    world.now = world.startAt + 60_000;
    const [one, other] = [evidence.gather(), evidence.gather()];
    await one;
    await other;
    version = "1.1.0";
    const seen = await evidence.gather();
    expect(JSON.stringify(seen.rollouts)).toContain("1.1.0");
  });

  it("goes on after a question that a source failed: the next one has what the source says then", async () => {
    const world = createWorld(FAILING);
    const config = testConfig({ watch: { stepMs: world.stepMs } });
    let fails = true;
    const changes = world.sources.changes.map((source) => ({
      ...source,
      changes: (...args: Parameters<typeof source.changes>) => {
        if (fails) throw new Error("gone");
        return source.changes(...args);
      },
    }));
    const evidence = createGateEvidence({
      sources: { ...world.sources, changes },
      config,
      clock: { now: () => world.now },
    });
    world.now = world.startAt + 420_000;
    const without = await evidence.gather();
    expect(without.gaps.map(({ what }) => what)).toContain("changes");
    expect(without.changes).toEqual([]);
    fails = false;
    const withIt = await evidence.gather();
    expect(withIt.gaps.map(({ what }) => what)).not.toContain("changes");
    expect(withIt.changes.length).toBeGreaterThan(0);
  });

  it("is read anew a day later, no more of it than at first", async () => {
    const world = createWorld(FAILING);
    const config = testConfig({ watch: { stepMs: world.stepMs } });
    const asked: MetricQuery[] = [];
    const clock = { now: () => world.now };
    const evidence = createGateEvidence({ sources: listening(world.sources, asked), config, clock });
    const widest = () =>
      Math.max(
        ...asked.splice(0).flatMap(({ window, stepMs }) => (stepMs === world.stepMs ? window.to - window.from : [])),
      );
    world.now = world.startAt + 240_000;
    await evidence.gather();
    const first = widest();
    world.now += 86_400_000;
    await evidence.gather();
    expect(widest()).toBeLessThanOrEqual(first);
    world.now += KEPT_MS;
    await evidence.gather();
    expect(widest()).toBeLessThan(KEPT_MS + 120_000);
    world.now += KEPT_MS + 1;
    await evidence.gather();
    expect(widest()).toBe(first);
  });

  it("answers those who wait for their turn together, by what is read after all of them asked", async () => {
    const world = createWorld(FAILING);
    const config = testConfig({ watch: { stepMs: world.stepMs } });
    const evidence = createGateEvidence({ sources: world.sources, config, clock: { now: () => world.now } });
    world.now = world.startAt + 240_000;
    const first = evidence.gather();
    await Promise.resolve();
    await Promise.resolve();
    const others = [evidence.gather(), evidence.gather()];
    world.now += 15_000;
    const answers = await Promise.all([first, ...others]);
    expect(answers.map(({ at }) => at - world.startAt)).toEqual([240_000, 255_000, 255_000]);
    expect(answers[1]).toBe(answers[2]);
  });
});
