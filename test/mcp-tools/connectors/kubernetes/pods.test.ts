import { describe, expect, it } from "vitest";
import { Pod } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { podHealth, usualReadyMs } from "../../../../mcp-tools/connectors/kubernetes/pods.ts";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();

/** A pod that started at T0; since when it is Ready, and its containers are; null: they are not. */
function pod(readyS: number | null, containersS: number | null): Pod {
  const condition = (type: string, since: number | null) => ({
    type,
    status: since === null ? "False" : "True",
    lastTransitionTime: at(since ?? 0),
  });
  return Pod.parse({
    metadata: { name: "web-1", namespace: "shop", uid: "1", resourceVersion: "1", creationTimestamp: at(0) },
    spec: { containers: [{ name: "web", image: "shop/web:1" }] },
    status: {
      phase: "Running",
      startTime: at(0),
      conditions: [condition("Ready", readyS), condition("ContainersReady", containersS)],
      containerStatuses: [{ name: "web", restartCount: 0, state: { running: { startedAt: at(0) } } }],
    },
  });
}

describe("how long a workload's pods take to become ready", () => {
  it.each([
    ["is what they took", [pod(3, 3), pod(5, 5), pod(40, 40)], 5000],
    [
      "is no longer where their node was not heard of later, and made them ready anew",
      [pod(300, 3), pod(301, 5)],
      3000,
    ],
    ["is not told by what is not ready", [pod(null, null)], null],
    ["is not told by what takes longer than any start", [pod(700, 700)], null],
  ] as const)("%s", (_, pods, usual) => {
    expect(usualReadyMs(pods)).toBe(usual);
  });

  it("says after a node was away as before when a pod that does not become ready has failed", () => {
    const grace = { leastMs: 30_000, usualMs: usualReadyMs([pod(300, 3)]), over: false };
    expect([20, 40].map((seconds) => podHealth(pod(null, null), T0 + seconds * 1000, grace))).toEqual([
      "starting",
      "failing",
    ]);
  });
});
