import fc from "fast-check";
import { expect, it } from "vitest";
import { type Cluster, startCluster } from "../../../../../evals/sandbox/kube/cluster.ts";
import type { Pod, ReplicaSet } from "../../../../../evals/sandbox/kube/objects.ts";
import { fakePodRuntime } from "../../../../fakes/fake-pod-runtime.ts";
import { call } from "../api/client.ts";
import { deployment } from "../manifests.ts";
import { eventually } from "../setting.ts";

const WEB = "/apis/apps/v1/namespaces/default/deployments/web";
const REVISION = "deployment.kubernetes.io/revision";
const LIMIT = 2;

const strategic = (cluster: Cluster, body: unknown) =>
  call(cluster, "PATCH", WEB, { body, type: "application/strategic-merge-patch+json" });
const revisionOf = ({ metadata }: ReplicaSet) => Number(metadata.annotations?.[REVISION]);

async function replicaSets(cluster: Cluster): Promise<readonly ReplicaSet[]> {
  return (await call(cluster, "GET", "/apis/apps/v1/namespaces/default/replicasets")).body.items;
}

type Step =
  | { readonly kind: "image"; readonly version: number }
  | { readonly kind: "undo"; readonly back: number }
  | { readonly kind: "scale"; readonly replicas: number }
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "crash" }
  | { readonly kind: "wait" };

async function take(cluster: Cluster, crash: () => void, step: Step): Promise<void> {
  if (step.kind === "wait") return cluster.idle();
  if (step.kind === "crash") return crash();
  if (step.kind === "scale") await strategic(cluster, { spec: { replicas: step.replicas } });
  if (step.kind === "pause") await strategic(cluster, { spec: { paused: step.paused } });
  if (step.kind === "image") {
    const image = `shop/web:${step.version}`;
    await strategic(cluster, { spec: { template: { spec: { containers: [{ name: "web", image }] } } } });
  }
  if (step.kind === "undo") {
    const sets = (await replicaSets(cluster)).toSorted((a, b) => revisionOf(b) - revisionOf(a));
    const target = sets[Math.min(step.back, sets.length - 1)];
    if (target === undefined) return;
    const { "pod-template-hash": _, ...labels } = target.spec.template.metadata?.labels ?? {};
    const value = { ...target.spec.template, metadata: { ...target.spec.template.metadata, labels } };
    const body = [{ op: "replace", path: "/spec/template", value }];
    await call(cluster, "PATCH", WEB, { body, type: "application/json-patch+json" });
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("image" as const), version: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("undo" as const), back: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant("scale" as const), replicas: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("pause" as const), paused: fc.boolean() }),
  fc.constant({ kind: "crash" as const }),
  fc.constant({ kind: "wait" as const }),
);

it("whatever is done to a Deployment, in the end its pods are those of its template and its history is in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const runtime = fakePodRuntime();
      await using cluster = await startCluster({ runtime, timings: { probePeriodMs: 10, backOffMs: 1 } });
      await cluster.apply(deployment("shop/web:1", { revisionHistoryLimit: LIMIT }));
      const crash = () => {
        const [name] = runtime.running.keys();
        if (name !== undefined) runtime.crash(name, 1);
      };
      for (const one of steps) await take(cluster, crash, one);
      await strategic(cluster, { spec: { paused: null } });

      await eventually(async () => {
        const { spec, status, metadata } = (await call(cluster, "GET", WEB)).body;
        const { image } = spec.template.spec.containers[0];
        expect(status).toMatchObject({
          observedGeneration: metadata.generation,
          replicas: spec.replicas,
          updatedReplicas: spec.replicas,
          availableReplicas: spec.replicas,
        });
        const pods: readonly Pod[] = (await call(cluster, "GET", "/api/v1/namespaces/default/pods")).body.items;
        expect(pods.map((pod) => pod.spec.containers[0]?.image)).toEqual(Array(spec.replicas).fill(image));
        expect([...runtime.running.values()].map((pod) => pod.image)).toEqual(Array(spec.replicas).fill(image));

        const sets = await replicaSets(cluster);
        const active = sets.filter((set) => (set.spec.replicas ?? 0) > 0);
        expect(active.map((set) => set.spec.template.spec.containers[0]?.image)).toEqual([image]);
        const revisions = sets.map(revisionOf);
        expect(new Set(revisions).size).toBe(revisions.length);
        expect(active.map(revisionOf)).toEqual([Math.max(...revisions)]);
        expect(metadata.annotations[REVISION]).toBe(String(Math.max(...revisions)));
        expect(sets.length).toBeLessThanOrEqual(LIMIT + 1);
      });
    }),
    { numRuns: 40 },
  );
});
