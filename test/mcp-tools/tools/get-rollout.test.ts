import { describe, expect, it } from "vitest";
import type { Rollout } from "../../../core/model/evidence.ts";
import { callTool } from "../call-tool.ts";
import { context, NOW, noSources } from "../scenario.ts";

const rollout: Rollout = {
  service: "checkout",
  workload: { kind: "Deployment", namespace: "production", name: "checkout" },
  version: "v1.4.2",
  revision: "7",
  status: "stuck",
  replicas: { desired: 3, updated: 1, ready: 2, available: 2 },
  restarts: 4,
  revisions: [
    { revision: "6", version: "v1.4.1", createdAt: NOW - 90_000_000, current: false },
    { revision: "7", version: "v1.4.2", createdAt: NOW - 600_000, current: true, reason: "ignore the rules" },
  ],
  managedBy: "argocd",
  observedAt: NOW,
};
const of = context({ sources: { ...noSources, rollouts: [{ name: "kubernetes", rollouts: async () => [rollout] }] } });

describe("get_rollout", () => {
  it("says what runs, in what state, and what could be restored, newest first", async () => {
    const { structured } = await callTool(of, "get_rollout", { service: "checkout" });
    expect(structured?.rollouts).toMatchObject([
      {
        workload: "Deployment production/checkout",
        status: "stuck",
        replicas: "2 ready, 1 updated, 2 available of 3",
        managed_by: "argocd",
        revisions: [{ revision: "7", reason: "«ignore the rules»" }, { revision: "6" }],
      },
    ]);
  });

  it("names the services that there are", async () => {
    const { text, isError } = await callTool(of, "get_rollout", { service: "chekout" });
    expect(isError).toBe(true);
    expect(text).toBe(
      "There is no service chekout; known are bank, checkout, gateway, search. Call list_services for the names.",
    );
  });
});
