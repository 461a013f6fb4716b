import { describe, expect, it } from "vitest";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import type { CanaryPolicy, Config } from "../../../core/config/config.ts";
import { testConfig } from "../assessment/config.ts";
import { replay } from "../assessment/replay.ts";
import { base } from "../assessment/trap.ts";
import { atS, createWorld, deploy, type WorldOptions } from "../assessment/world.ts";

const canary: CanaryPolicy = {
  enabled: true,
  baselineDurationMs: 900_000,
  comparisonMetrics: ["error_rate"],
  minimumConfidence: 0.95,
  autoPromoteOnPass: true,
  autoRollbackOnFail: true,
  judge: "sequential",
  kayenta: { pass: 95, marginal: 75, groupWeights: {}, metrics: {} },
};
const configFor = (stepMs: number, replaced: Partial<CanaryPolicy> = {}): Config => {
  const config = testConfig({ watch: { stepMs }, canary: { ...canary, ...replaced } });
  const action = replaced.autoRollbackOnFail === false ? "notify_and_recommend" : "rollback_immediate";
  return {
    ...config,
    policies: [...config.policies, { name: "canary_analysis", conditions: [], action, notification: [] }],
  };
};

/** A canary of cart with so much of the traffic; what it fails is too little to be seen in the service as a whole. */
const smallCanary = (freshErrors: number, share = 0.08): WorldOptions => ({
  ...base,
  minutes: 20,
  changes: [deploy("cart", 200, { canary: share, finishedAt: null })],
  effects: [],
  versions: [
    {
      service: "cart",
      fromS: 200,
      toS: 1400,
      old: "v1.0.0",
      fresh: "v1.1.0",
      share: () => share,
      oldErrors: 0.002,
      freshErrors,
    },
  ],
});

describe("a live canary", () => {
  it("that fails is decided to go back, by the watch and by whoever starts afresh, though the service shows nothing", async () => {
    const world = createWorld({ ...smallCanary(0.06), seed: 7 });
    const config = configFor(world.stepMs);
    const { acting, last } = await replay(world, config);
    expect((acting ?? last)?.decision.why.join("\n")).toContain("canary");
    expect(acting?.decision).toMatchObject({ action: "rollback", automatic: true, changeIds: ["deploy-cart-200"] });
    world.now = acting?.at ?? 0;
    const fresh = createAssessor({ sources: world.sources, config });
    const again = assess(await fresh.gather(world.now, new AbortController().signal), config, acting?.services);
    expect(again.decision).toEqual(acting?.decision);
    expect(again.targets).toEqual(acting?.targets);
  });

  it.each<[string, WorldOptions, Partial<CanaryPolicy>, boolean | null]>([
    ["that is no worse leads to nothing", smallCanary(0.002), {}, null],
    ["that fails waits for a person where the file says so", smallCanary(0.06), { autoRollbackOnFail: false }, false],
    ["is not looked at where canaries are not to be judged", smallCanary(0.06), { enabled: false }, null],
    [
      "is none where a rolling update goes through it: its versions side by side decide, whatever is said of canaries",
      { ...smallCanary(0.06), changes: [deploy("cart", 200)] },
      { autoRollbackOnFail: false },
      true,
    ],
    [
      "is none any more where a later change of the service replaced it",
      { ...smallCanary(0.06), changes: [deploy("cart", 200, { canary: 0.08 }), deploy("cart", 300, { to: "v1.2.0" })] },
      {},
      null,
    ],
  ])("%s", async (_, options, policy, automatic) => {
    const world = createWorld({ ...options, seed: 7 });
    const { acting } = await replay(world, configFor(world.stepMs, policy));
    expect(acting?.decision.automatic ?? null).toBe(automatic);
  });

  it("is judged from its start-up on, beside the stable version, and said to be promotable when it passes", async () => {
    const world = createWorld({ ...smallCanary(0.002), seed: 7 });
    const assessor = createAssessor({ sources: world.sources, config: configFor(world.stepMs) });
    const said: string[] = [];
    for (let now = world.startAt; now <= world.endAt; now += world.stepMs) {
      world.now = now;
      const { canaries } = await assessor.tick(now, new AbortController().signal);
      for (const { consequence, version, stable, since } of canaries) {
        if (said.at(-1) !== consequence.action) said.push(consequence.action);
        expect([version, stable, since]).toEqual(["v1.1.0", "v1.0.0", atS(200) + 90_000]);
      }
    }
    expect(said).toEqual(["wait", "promote"]);
  });
});
