import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  newSetReplicas,
  oldSetResizes,
  proportionalResizes,
  resolved,
  rollingLimits,
  totalReplicas,
} from "../../../../../evals/sandbox/kube/controllers/deployment-replicas.ts";
import type { Deployment, IntOrPercent, ReplicaSet } from "../../../../../evals/sandbox/kube/objects.ts";

const template = { spec: { containers: [{ name: "web", image: "web:1" }] } };

function deployment(replicas: number, maxSurge: IntOrPercent, maxUnavailable: IntOrPercent): Deployment {
  const rollingUpdate = { maxSurge, maxUnavailable };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: { replicas, selector: {}, template, strategy: { type: "RollingUpdate", rollingUpdate } },
  };
}

const set = (name: string, replicas: number, available: number, bornMs = 0): ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  metadata: { name, creationTimestamp: new Date(bornMs).toISOString() },
  spec: { replicas, selector: {}, template },
  status: { replicas, availableReplicas: available },
});

describe("limits of a rolling update", () => {
  it.each([
    ["surge is rounded up, unavailable down", 10, "25%", "25%", 3, 2],
    ["of few pods none may lack", 3, "25%", "25%", 1, 0],
    ["plain numbers stand", 5, 2, 1, 2, 1],
    ["both zero would never move", 5, 0, 0, 0, 1],
    ["no more may lack than there are", 2, 0, 5, 0, 2],
    ["all may lack", 4, "0%", "100%", 0, 4],
  ] as const)("%s", (_, replicas, surge, lack, maxSurge, maxUnavailable) => {
    expect(rollingLimits(deployment(replicas, surge, lack))).toEqual({ maxSurge, maxUnavailable });
  });

  it("a percentage of nothing is nothing", () => {
    expect([resolved("25%", 0, "up"), resolved("25%", 0, "down")]).toEqual([0, 0]);
  });
});

const limits = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`),
);

describe("for any size, limits and order in which pods become available", () => {
  it("a rolling update ends, never exceeds its surge, and never takes an available pod too many", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        limits,
        limits,
        fc.array(fc.nat({ max: 3 }), { minLength: 200, maxLength: 200 }),
        (replicas, surge, lack, ticks) => {
          const web = deployment(replicas, surge, lack);
          const { maxSurge, maxUnavailable } = rollingLimits(web);
          let old = set("old", replicas, replicas);
          let fresh = set("new", 0, 0, 1);
          for (const tick of ticks) {
            const size = newSetReplicas(web, [old, fresh], fresh.spec.replicas ?? 0);
            fresh = set("new", size, Math.min(size, fresh.status?.availableReplicas ?? 0), 1);
            for (const resize of oldSetResizes(web, [old], fresh)) old = set("old", resize.replicas, resize.replicas);
            const available = (old.status?.availableReplicas ?? 0) + (fresh.status?.availableReplicas ?? 0);
            expect(totalReplicas([old, fresh])).toBeLessThanOrEqual(replicas + maxSurge);
            expect(available).toBeGreaterThanOrEqual(replicas - maxUnavailable);
            fresh = set("new", size, Math.min(size, (fresh.status?.availableReplicas ?? 0) + tick), 1);
          }
          for (let more = 0; more < 4 * replicas + 4; more += 1) {
            const size = newSetReplicas(web, [old, fresh], fresh.spec.replicas ?? 0);
            fresh = set("new", size, size, 1);
            for (const resize of oldSetResizes(web, [old], fresh)) old = set("old", resize.replicas, resize.replicas);
          }
          expect([old.spec.replicas, fresh.spec.replicas]).toEqual([0, replicas]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("pods that are not available are the first to go", () => {
    const web = deployment(4, 1, 1);
    const resizes = oldSetResizes(web, [set("broken", 2, 0, 0), set("good", 2, 2, 1)], set("new", 1, 1, 2));
    expect(resizes.map(({ set: { metadata }, replicas }) => [metadata.name, replicas])).toEqual([["broken", 0]]);
  });

  it("a change of size is spread so that the sum is exactly what is allowed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 }),
        limits,
        (replicas, sizes, surge) => {
          const web = deployment(replicas, surge, 1);
          const sets = sizes.map((size, index) => set(`s${index}`, size, size, index));
          const before = totalReplicas(sets);
          const resizes = proportionalResizes(web, sets, () => before);
          const sum = resizes.reduce((total, { replicas: size }) => total + size, 0);
          expect(sum).toBe(replicas + rollingLimits(web).maxSurge);
          expect(Math.min(...resizes.map(({ replicas: size }) => size))).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});
