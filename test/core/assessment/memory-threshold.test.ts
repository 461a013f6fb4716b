import { expect, it } from "vitest";
import type { Config } from "../../../core/config/config.ts";
import { testConfig } from "./config.ts";
import { replay } from "./replay.ts";
import { live } from "./trap.ts";
import { createWorld, deploy } from "./world.ts";

const memory: Config["policies"][number] = {
  name: "auto_rollback",
  action: "rollback_immediate",
  notification: [],
  conditions: [
    {
      kind: "threshold",
      metric: "memory_usage",
      comparison: "greater_than",
      threshold: 0.9,
      upperBound: null,
      durationMs: 3000,
      text: "memory_usage > 0.9 for 3s",
    },
  ],
};

it.each([
  ["creeps up to it", 1.2],
  ["jumps up to it within seconds", 6],
])("memory that %s is taken back once the policy's condition fires", async (_name, leak) => {
  const world = createWorld({
    ...live,
    historyS: 60,
    minutes: 2,
    changes: [deploy("cart", 20, {}, 4), deploy("web", -30, {}, 4)],
    effects: [{ service: "cart", fromS: 24, leak, spread: 0 }],
  });
  const config = testConfig({ policies: [memory], watch: { stepMs: world.stepMs } });
  const { acting, executedAt } = await replay(world, config);
  expect(acting?.decision).toMatchObject({ action: "rollback", changeIds: ["deploy-cart-20"] });
  expect(executedAt).not.toBeNull();
});
