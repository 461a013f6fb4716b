import { expect, it } from "vitest";
import type { Rollout } from "../../../core/model/evidence.ts";
import { testConfig } from "./config.ts";
import { replay } from "./replay.ts";
import { base } from "./trap.ts";
import { atS, createWorld, deploy } from "./world.ts";

const revision = (number: number, version: string, createdS: number, current = false) => ({
  revision: String(number),
  version,
  createdAt: atS(createdS),
  current,
});

/** The new pods of cart never become ready; the old ones go on serving, so no traffic is hurt. */
function rollouts(now: number): readonly Rollout[] {
  const started = now >= atS(300);
  return [
    {
      service: "cart",
      workload: { kind: "Deployment", namespace: "production", name: "cart" },
      version: started ? "v1.1.0" : "v1.0.0",
      revision: started ? "7" : "6",
      status: !started ? "complete" : now < atS(420) ? "progressing" : "stuck",
      replicas: { desired: 3, updated: started ? 1 : 3, ready: started ? 2 : 3, available: started ? 2 : 3 },
      restarts: started ? 4 : 0,
      revisions: [
        revision(5, "v0.9.0", -90_000),
        revision(6, "v1.0.0", -60_000, !started),
        ...(started ? [revision(7, "v1.1.0", 300, true)] : []),
      ],
      observedAt: now,
      startedAt: started ? atS(300) : atS(-60_000),
    },
  ];
}

it("a rollout whose pods never become ready is taken back although it hurts no traffic", async () => {
  const world = createWorld({
    ...base,
    changes: [deploy("cart", 300, { finishedAt: null }), deploy("pay", 100)],
    rollouts,
  });
  const { acting, executedAt } = await replay(world, testConfig());
  expect(acting?.decision).toMatchObject({ action: "rollback", automatic: true, changeIds: ["deploy-cart-300"] });
  expect(executedAt).toBe(atS(420));
  expect(acting?.targets).toMatchObject([
    {
      action: "kubectl_rollout_undo",
      expected: { version: "v1.1.0", revision: "7" },
      restore: { version: "v1.0.0", revision: "6" },
    },
  ]);
});

it("a rollout that merely takes its time is left alone", async () => {
  const slow = (now: number) => rollouts(Math.min(now, atS(419)));
  const world = createWorld({ ...base, changes: [deploy("cart", 300, { finishedAt: null })], rollouts: slow });
  expect((await replay(world, testConfig())).acting).toBeNull();
});
