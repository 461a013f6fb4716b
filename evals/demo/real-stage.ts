import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { auditedWrites } from "../real-kubernetes/audit.ts";
import { startControlPlane } from "../real-kubernetes/control-plane.ts";
import { deployment, template } from "../real-kubernetes/manifests.ts";
import { giveRoles } from "../real-kubernetes/roles.ts";
import { chance } from "../real-kubernetes/shop/chance.ts";
import { type Behaviour, createImages } from "../real-kubernetes/shop/images.ts";
import { startPages } from "../real-kubernetes/shop/pages.ts";
import { followPods } from "../real-kubernetes/shop/pod-eye.ts";
import { createTraffic, type ServiceModel } from "../real-kubernetes/shop/traffic.ts";
import { recordVisitors } from "../real-kubernetes/shop/visitors.ts";
import { prometheusConfig } from "../sandbox/discovery.ts";
import { NAMESPACE } from "../sandbox/shop.ts";
import type { SandboxWrite } from "../sandbox/writes.ts";
import { deploymentState, followStates } from "./culprit-record.ts";
import { startGate } from "./gate-process.ts";
import { startPrometheus } from "./prometheus-process.ts";
import { CHANNEL_VARIABLE, realConfiguration } from "./real-configuration.ts";
import { isRealScenario, type RealScenario, requireControlPlane } from "./real-parts.ts";
import type { StageOptions } from "./sandbox-stage.ts";
import type { Stage } from "./stage.ts";

const service = (
  name: string,
  rate: number,
  latencySeconds: number,
  calls: Readonly<Record<string, number>> = {},
): ServiceModel => ({
  name,
  rate,
  latencySeconds,
  calls: Object.entries(calls).map(([callee, share]) => ({ callee, share })),
});

/** Where visitors come in. */
const DOOR = "gateway";
const SHOP: readonly ServiceModel[] = [
  service(DOOR, 60, 0.05, { checkout: 0.5, catalog: 0.5 }),
  service("checkout", 0, 0.05, { payments: 0.9, inventory: 0.5 }),
  service("payments", 0, 0.08),
  service("catalog", 0, 0.03, { inventory: 0.4 }),
  service("inventory", 0, 0.03),
];
const REPLICAS = 2;
/** Between one new pod and the next, so that old and new ones serve side by side for a while, as in a careful rollout. */
const MIN_READY_SECONDS = 5;

/** What each scenario deploys: by whom, to which service, and what the new image's pods do. */
const BAD: Readonly<Record<RealScenario, { service: string; author: string; image: Partial<Behaviour> }>> = {
  "bad-deploy": { service: "payments", author: "ana", image: { errorShare: 0.35 } },
  "bad-latency": { service: "catalog", author: "ben", image: { latencySeconds: 3 } },
  "not-ready": { service: "inventory", author: "eve", image: { fate: "neverReady" } },
};

const SEED = 1;
const TICK_MS = 200;
const PATIENCE_MS = 120_000;
/** A version counts as good when it has served for longer than the verification may take. */
const SERVED_LONGER_MS = 15_000;

/**
 * A real control plane whose pods kwok answers for: which of them are ready, and of which image, is the cluster's to say.
 * Requests go to those that are ready, by chance, and each image answers them in its way; their counters are scraped as a
 * pod's own page would be. unship runs as two processes, each with the service account that its documentation gives it.
 */
export async function openRealStage({
  scenario,
  directory,
  durations,
  prometheus,
  print,
  folder,
}: StageOptions & { readonly folder: string }): Promise<Stage> {
  const parts = requireControlPlane(folder, scenario);
  if (!isRealScenario(scenario)) throw new TypeError(`${scenario} is no scenario of a real cluster`);
  const bad = BAD[scenario];
  await using own = new AsyncDisposableStack();
  print("Starting a real control plane: etcd, API server, controllers, scheduler, and kwok in place of kubelets …");
  const plane = own.use(await startControlPlane({ parts, directory: join(directory, "cluster") }));
  const { admin } = plane;
  const roles = await giveRoles(plane, NAMESPACE);
  const by = chance(SEED);
  const images = createImages((name) => SHOP.find((one) => one.name === name)?.latencySeconds ?? 0, by);
  const traffic = createTraffic(SHOP, images, chance(SEED + 1));
  const eye = own.use(followPods(admin, NAMESPACE));
  let last = Date.now();
  const ticking = setInterval(() => {
    const now = Date.now();
    traffic.advance(now - last, eye.pods(), now);
    last = now;
  }, TICK_MS);
  own.defer(() => clearInterval(ticking));
  const visitors = own.use(recordVisitors(traffic, DOOR));
  const pages = own.use(await startPages(traffic, eye.pods));

  print(
    `Deploying a small shop to it: ${SHOP.map(({ name }) => name).join(", ")}; ${REPLICAS} pods each, and visitors …`,
  );
  const collection = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
  for (const { name } of SHOP) {
    const image = images.issue(name);
    const fields = {
      template: template(name, image, { terminationGracePeriodSeconds: 1 }),
      replicas: REPLICAS,
      minReadySeconds: MIN_READY_SECONDS,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    };
    await admin.must("POST", collection, { body: deployment(name, image, fields) });
  }
  const readyPods = () => eye.pods().filter(({ ready }) => ready).length;
  for (let rest = PATIENCE_MS; readyPods() < SHOP.length * REPLICAS; rest -= TICK_MS) {
    if (rest <= 0)
      throw new Error(`${readyPods()} of ${SHOP.length * REPLICAS} pods are ready; see ${plane.directory}`);
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }

  const discovery = pages.discovery.href;
  const scraped = join(directory, "prometheus.yml");
  if (prometheus) writeFileSync(scraped, prometheusConfig(discovery));
  const metrics = prometheus
    ? { prometheus: own.use(await startPrometheus(scraped, join(directory, "prometheus"))).url }
    : { discovery };
  const config = join(directory, "unship.yaml");
  writeFileSync(config, realConfiguration({ directory, durations, services: SHOP, roles, metrics }));
  const variables = { [CHANNEL_VARIABLE]: randomBytes(24).toString("hex") };
  mkdirSync(join(directory, "run"), { recursive: true, mode: 0o700 });
  print("Starting the gate and the watch, two processes, each with its own service account …");
  own.use(await startGate({ directory, config, variables }));
  const kept = own.move();
  return {
    config,
    variables,
    warmUpMs: durations.verifyTimeoutMs + SERVED_LONGER_MS,
    async play(onEvent) {
      const image = images.issue(bad.service, bad.image);
      await admin.must("PATCH", `${collection}/${bad.service}?fieldManager=${bad.author}`, {
        body: { spec: { template: { spec: { containers: [{ name: bad.service, image }] } } } },
        type: "application/strategic-merge-patch+json",
      });
      const version = image.slice(image.lastIndexOf(":") + 1);
      onEvent({ event: "deployed", at: Date.now(), service: bad.service, version, author: bad.author });
      onEvent({ event: "played", at: Date.now(), scenario });
    },
    follow: ({ name }) => followStates(() => deploymentState((path) => admin.must("GET", path), NAMESPACE, name)),
    writes: () => writesOf(plane.directory),
    traffic: () => visitors.reports,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What unship's two accounts wrote, by the API server's own audit log: refused and dry requests are no writes. */
function writesOf(directory: string): readonly SandboxWrite[] {
  return auditedWrites(directory, /:unship-(read|gate)$/)
    .filter(({ dryRun, status, resource }) => !dryRun && status < 300 && resource !== "selfsubjectaccessreviews")
    .map(({ at, verb, namespace, resource, name, subresource, body }) => ({
      api: "kubernetes",
      at,
      method: verb.toUpperCase(),
      path: `/apis/apps/v1/namespaces/${namespace}/${resource}/${name}${subresource === "" ? "" : `/${subresource}`}`,
      body,
      own: false,
    }));
}
