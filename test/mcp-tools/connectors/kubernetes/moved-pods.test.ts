import { describe, expect, it } from "vitest";
import { scopeTo } from "../../../../core/assessment/scope.ts";
import { createDetectionEngine } from "../../../../core/detection/engine.ts";
import { podLabelsOf } from "../../../../core/model/signal.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { kubernetesHealth } from "../../../../mcp-tools/connectors/kubernetes/health.ts";
import { testConfig } from "../../../core/assessment/config.ts";
import { change, emptyCase } from "../../../core/correlation/fixtures.ts";
import { fakeKubernetesApi, type StoredObject } from "../../../fakes/fake-kubernetes-api.ts";
import { at, deployment, ms, replicaSet, template } from "./objects.ts";

const never = new AbortController().signal;
const STEP = 60_000;
/** Looks begin at minute 0 and end here: the hour before tells what is usual. */
const END = 80;

/** A service of its own, with the ReplicaSet that serves. */
function service(name: string): readonly StoredObject[] {
  const labels = { app: name };
  const uid = `deployments/shop/${name}`;
  const pods = template(`shop/${name}:1.0.0`, { labels });
  return [
    deployment(`shop/${name}:1.0.0`, "1", { metadata: { name, uid, labels }, spec: { template: pods } }),
    replicaSet(`shop/${name}:1.0.0`, "1", 0, { name: `${name}-1`, uid, template: pods }),
  ];
}

const pod = (service: string, name: string, ready: boolean): StoredObject => ({
  kind: "Pod",
  metadata: {
    name: `${service}-${name}`,
    namespace: "shop",
    creationTimestamp: at(-60),
    ownerReferences: [
      { kind: "ReplicaSet", name: `${service}-1`, uid: `replicasets/shop/${service}-1`, controller: true },
    ],
  },
  spec: { containers: [{ name: "main", image: service }] },
  status: {
    phase: "Running",
    startTime: at(-60),
    conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: at(-59) }],
    containerStatuses: [{ name: "main", restartCount: 0, state: { running: { startedAt: at(-60) } } }],
  },
});

/** What an incident of `cart` knows of pods that are moved, where one pod of each service is not ready from such a minute on. */
async function moved(from: Readonly<Record<string, number>>) {
  await using api = await fakeKubernetesApi(Object.keys(from).flatMap(service));
  const client = kubeClient({ server: api.url, namespace: "default", http: {} });
  const health = kubernetesHealth({ client, namespaces: ["shop"], services: [] });
  for (let minute = 0; minute <= END; minute++) {
    for (const [name, start] of Object.entries(from)) {
      if (minute === 0) api.put(pod(name, "a", true));
      if (minute === 0 || minute === start) api.put(pod(name, "b", minute < start));
    }
    await health.observe(ms(minute), never);
  }
  const window = { from: ms(0), to: ms(END) };
  const series = await health.range(
    { metric: "health_check_failures", window, stepMs: STEP, purpose: "statistics" },
    never,
  );
  expect(series.every((one) => podLabelsOf(one) !== null)).toBe(true);
  const engine = createDetectionEngine(testConfig());
  engine.ingest(series, "statistics");
  const changes = [change({ startedAt: ms(END - 9), finishedAt: null })];
  return scopeTo(emptyCase({ at: ms(END), series: engine.recent(window), changes }), ["cart"]).moved;
}

describe("pods that are moved, as Kubernetes tells of their readiness", () => {
  it("are seen at the services that nobody changed", async () => {
    expect(await moved({ cart: 72, mail: 71, geo: 74, tax: 77 })).toEqual(["geo", "mail", "tax"]);
  });

  it("are not seen where only the service that was deployed has some that are not ready", async () => {
    const later = Number.POSITIVE_INFINITY;
    expect(await moved({ cart: 72, mail: later, geo: later, tax: later })).toBeUndefined();
  });
});
