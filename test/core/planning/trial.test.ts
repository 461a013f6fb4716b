import { describe, expect, it } from "vitest";
import type { AllowedAction } from "../../../core/config/config.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import { targetsFor } from "../../../core/planning/plan-targets.ts";
import { testConfig } from "../assessment/config.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";

const NOW = T0 + 10 * MINUTE;
const workload = { kind: "Rollout", namespace: "production", name: "cart" };
const revision = (number: number, version: string, servedMs?: number) => ({
  revision: String(number),
  version,
  createdAt: T0 - (20 - number) * 60 * MINUTE,
  current: number === 4,
  ...(servedMs === undefined ? {} : { servedMs }),
});
const rollout = (replaced: Partial<Rollout> = {}): Rollout => ({
  service: "cart",
  workload,
  version: "v1.1.0",
  revision: "4",
  status: "paused",
  replicas: { desired: 4, updated: 1, ready: 4, available: 4 },
  restarts: 0,
  revisions: [revision(2, "v0.9.0", 600 * MINUTE), revision(3, "v1.0.0", 600 * MINUTE), revision(4, "v1.1.0")],
  observedAt: NOW,
  stable: { version: "v1.0.0", revision: "3" },
  ...replaced,
});
const allowed = (...types: AllowedAction["type"][]): readonly AllowedAction[] =>
  types.map((type) => ({
    type,
    namespaces: null,
    applications: null,
    environments: null,
    requireApproval: false,
    maxRollbacksPerHour: null,
  }));
const planned = (one: Rollout, allowedActions: readonly AllowedAction[]) => {
  const deploy = change({ workload, canary: 0.2, fromRevision: "3", toRevision: "4" });
  const file = emptyCase({ changes: [deploy], rollouts: [one] });
  return targetsFor(file, testConfig({ allowedActions }), ["deploy-cart"]);
};

describe("a version on trial beside the stable one", () => {
  it("is aborted where the file allows that", () => {
    expect(planned(rollout(), allowed("kubectl_rollout_undo", "rollout_abort")).targets).toEqual([
      {
        action: "rollout_abort",
        service: "cart",
        changeId: "deploy-cart",
        object: workload,
        expected: { version: "v1.1.0", revision: "4" },
        restore: { version: "v1.0.0", revision: "3" },
      },
    ]);
  });

  it.each<[string, Rollout, readonly AllowedAction[], string]>([
    ["the file does not allow it", rollout(), allowed("kubectl_rollout_undo"), "3"],
    ["it has all traffic by now", { ...rollout(), stable: undefined } as never, allowed("rollout_abort"), "3"],
    [
      "the stable version is itself not proven",
      rollout({
        revisions: [revision(2, "v0.9.0", 600 * MINUTE), revision(3, "v1.0.0", MINUTE), revision(4, "v1.1.0")],
      }),
      allowed("rollout_abort"),
      "2",
    ],
  ])("is undone instead where %s", (_, one, allowedActions, restored) => {
    expect(planned(one, allowedActions).targets).toMatchObject([
      { action: "kubectl_rollout_undo", restore: { revision: restored } },
    ]);
  });
});
