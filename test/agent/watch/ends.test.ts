import { describe, expect, it } from "vitest";
import { episodes } from "../../../core/assessment/assessor.ts";
import type { Finding } from "../../../core/model/finding.ts";
import { changeOf, DAY, HOUR, MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { blameless, oddFinding } from "./trouble.ts";
import { openWatchWorld, STEP_MS } from "./watch-world.ts";

const QUIET = 12;
/** After the onset of what is detected at once when the world begins. */
const BEGAN = NOW - MINUTE;
const needsPerson = ["checkout is listed under never_auto_rollback"];

describe("the end of an incident", () => {
  it.each(["transient", "held", "denied", "hotfix"] as const)(
    "comes with its own signals, whatever else is odd: %s",
    async (state) => {
      await using world = await openWatchWorld(state === "denied" ? { config: { mode: "observe" } } : {});
      const kinds = {
        transient: blameless,
        held: { needsPerson },
        denied: {},
        hotfix: { action: "hotfix_recommendation", needsPerson },
      } as const;
      world.troubles = [world.trouble(kinds[state])];
      await world.step(3);
      const odd = oddFinding(world.time.now);
      const version = { ...odd, metric: "error_rate", labels: { version: "v2" } };
      await world.restart({
        gather: async (now) => {
          const file = await world.gather(now);
          return { ...file, findings: [...file.findings, odd, version] };
        },
      });
      world.troubles = [];
      await world.step(QUIET);
      expect((await world.incident()).stage).toBe("closed");
    },
  );

  it.each([
    ["where nobody did anything", {}, {}, "came back with no known change"],
    [
      "where somebody changed it meanwhile",
      { id: "deploy-back" },
      {},
      "came back after somebody had changed checkout v1 → v2",
    ],
    [
      "where somebody changed it between onset and detection",
      { id: "deploy-back", at: BEGAN },
      {},
      "came back after somebody had changed checkout v1 → v2",
    ],
    ["where our own rollback is all that happened", { ownRollback: true }, {}, "came back with no known change"],
    ["where something else was changed", { service: "search" }, {}, "came back with no known change"],
    [
      "where what it calls was changed",
      { service: "search" },
      { topology: { edges: [["checkout", "search"]], external: [] } },
      "came back after somebody had changed search v1 → v2",
    ],
    [
      "where a source of changes does not answer",
      {},
      {
        gaps: [
          { of: "changes", how: "unanswered", source: "kubernetes", what: "changes", because: "it does not answer" },
        ],
      },
      "came back (why is not known: kubernetes did not say changes: it does not answer)",
    ],
  ] as const)("says how its signals came back %s", async (_, change, known, said) => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ ...blameless, since: BEGAN - MINUTE })];
    await world.step(3);
    const { at = world.time.now + STEP_MS, ...of } = change as { at?: number };
    world.troubles = [];
    const changes =
      Object.keys(change).length === 0 ? [] : [{ ...changeOf(targetOf()), startedAt: at, finishedAt: at, ...of }];
    await world.restart({ gather: async (now) => ({ ...(await world.gather(now)), changes, ...known }) });
    await world.step(QUIET);
    const { stage, timeline } = await world.incident();
    expect([stage, timeline.at(-1)?.detail]).toEqual(["closed", expect.stringContaining(said)]);
  });

  it("does not wait for a policy's condition that a signal back at its level still pends on", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless)];
    await world.step(3);
    world.troubles = [world.trouble({ ...blameless, condition: "pending", worse: false, firesAt: NOW + DAY })];
    await world.step(QUIET);
    const { outcome, timeline } = await world.incident();
    expect(outcome).toBe("no-action");
    // S15: that the signals came back never stands alone beside a condition that speaks against it.
    expect(timeline.at(-1)?.detail).toMatch(/The signals came back .*\. .* of checkout is pending still \(/);
  });

  it("does not come while a signal stays as far off as it was, also where no test finds it worse any more", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless)];
    await world.step(3);
    world.troubles = [];
    await world.restart({
      gather: async (now) => {
        const file = await world.gather(now);
        return { ...file, series: file.series.map((one) => ({ ...one, values: [0.3, 0.3, 0.31, 0.29] })) };
      },
    });
    await world.step(3 * QUIET);
    expect((await world.incident()).stage).not.toBe("closed");
    await world.restart();
    await world.step(QUIET);
    expect((await world.incident()).outcome).toBe("no-action");
  });

  it("is unknown for a service that is gone, however its silence comes and goes", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(blameless), world.trouble({ ...blameless, services: ["cart"] })];
    await world.step(3);
    world.troubles = [];
    await world.restart({
      gather: async (now) => {
        const file = await world.gather(now);
        return { ...file, series: file.series.filter(({ service }) => service !== "checkout") };
      },
    });
    await world.step((11 * MINUTE) / STEP_MS);
    expect((await world.incidents()).map(({ service, outcome }) => [service, outcome]).sort()).toEqual([
      ["cart", "no-action"],
      ["checkout", "unknown"],
    ]);
    expect(world.texts("incident.escalated").join()).toContain("checkout error_rate");
  });

  it("comes for a verification that never says more than pending, as unknown", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step();
    await world.step((15 * MINUTE) / STEP_MS);
    expect(await world.incident()).toMatchObject({ outcome: "unknown" });
  });
});

describe("what is no incident", () => {
  it.each([
    ["a new service without a baseline", "unknown"],
    ["a service with too little traffic to judge", "inconclusive"],
  ] as const)("%s is not measured yet", async (_, verdict) => {
    await using world = await openWatchWorld();
    const { gather } = world;
    world.gather = async (now) => {
      const file = await gather(now);
      return { ...file, findings: file.findings.map((one) => ({ ...one, verdict, onset: null })) };
    };
    world.troubles = [world.trouble({ condition: "none" })];
    await world.step(QUIET);
    expect(await world.incidents()).toEqual([]);
  });

  it("pods that a drained node, an upgrade of the cluster or autoscaling replaces change no service", async () => {
    const odd = (metric: string, labels: Record<string, string>): Finding => ({ ...oddFinding(NOW), metric, labels });
    await using world = await openWatchWorld({
      parts: {
        episodes,
        look: async () => ({ findings: [odd("cpu_usage", {})], conditions: [], gaps: [] }),
        gather: async (now) => ({
          ...(await world.gather(now)),
          findings: [odd("cpu_usage", {}), odd("memory_usage", {}), odd("error_rate", { pod: "checkout-2" })],
        }),
      },
    });
    await world.step(QUIET);
    expect(await world.incidents()).toEqual([]);
  });
});

describe("a service that is degraded for weeks", () => {
  it("stays one incident, is told of once, and is judged again when a change, a signal or a day adds something", async () => {
    await using world = await openWatchWorld();
    const judged: number[] = [];
    const { assess, gather } = world;
    world.assess = (file, focus) => {
      judged.push(file.at);
      return assess(file, focus);
    };
    const lasting = world.trouble({ ...blameless, condition: "firing" });
    world.troubles = [lasting];
    const hours = async (count: number) => {
      const before = judged.length;
      for (let hour = 0; hour < count; hour += 1) {
        world.time.now += HOUR;
        await world.step();
      }
      return judged.length - before;
    };
    await hours(3);
    const told = world.notices.length;
    const weeks = await hours(14 * 24);
    expect(weeks).toBeGreaterThanOrEqual(14);
    expect(weeks).toBeLessThanOrEqual(3 * 14 + 1);
    expect(world.notices).toHaveLength(told);
    expect(await world.incident()).toMatchObject({ service: "checkout", outcome: null });
    expect((await world.incident()).timeline.length).toBeLessThan(10);
    const at = world.time.now;
    world.gather = async (now) => ({ ...(await gather(now)), changes: [changeOf(targetOf(), { startedAt: at })] });
    expect(await hours(1)).toBe(1);
    await hours(2);
    expect(await hours(1)).toBe(0);
    const late: Finding = { ...oddFinding(world.time.now), metric: "p99_latency", detector: "change-point" };
    world.gather = async (now) => {
      const file = await gather(now);
      return { ...file, findings: [...file.findings, late] };
    };
    expect(await hours(1)).toBe(1);
  });
});
