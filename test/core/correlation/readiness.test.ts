import { describe, expect, it } from "vitest";
import { readinessReason } from "../../../core/correlation/readiness.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import { change, T0 } from "./fixtures.ts";

const deploy = change({ id: "d", service: "cart", from: "v1", to: "v2", startedAt: T0, finishedAt: null });
const rollout = (more: Partial<Rollout> = {}, becameReady?: boolean): Rollout => ({
  service: "cart",
  workload: { kind: "Deployment", namespace: "shop", name: "cart" },
  version: "v2",
  revision: "7",
  status: "stuck",
  replicas: { desired: 2, updated: 1, ready: 2, available: 2 },
  restarts: 0,
  revisions: [
    { revision: "6", version: "v1", createdAt: 0, current: false, becameReady: true },
    {
      revision: "7",
      version: "v2",
      createdAt: T0,
      current: true,
      ...(becameReady === undefined ? {} : { becameReady }),
    },
  ],
  observedAt: T0,
  ...more,
});

describe("new pods that do not become ready", () => {
  it("speak twenty to one against what is new in them, while the pods before them are ready", () => {
    expect(readinessReason(deploy, { rollouts: [rollout()] })).toEqual({
      name: "readiness",
      logOdds: Math.log(20),
      sentence: "no pod of v2 became ready by its deadline, while those before it serve (2 of 2 ready)",
    });
  });

  it.each<[string, Rollout | null, Partial<typeof deploy>?]>([
    ["whose rollout still goes on", rollout({ status: "progressing" })],
    ["of another version than the change brought", rollout(), { to: "v1" }],
    ["of another service", rollout(), { service: "pay" }],
    [
      "beside which no old pod is ready either",
      rollout({ replicas: { desired: 2, updated: 2, ready: 0, available: 0 } }),
    ],
    ["one of which was ready before the rollout stuck", rollout({}, true)],
    ["that nobody tells of", null],
    ["of a change that makes no pods", rollout(), { kind: "config" }],
  ])("say nothing where they are those %s", (_, one, more = {}) => {
    expect(readinessReason({ ...deploy, ...more }, { rollouts: one === null ? [] : [one] })).toBeNull();
  });
});
