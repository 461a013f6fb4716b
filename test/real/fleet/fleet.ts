import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GateProcess, startGate } from "../../../evals/demo/gate-process.ts";
import { startPrometheus } from "../../../evals/demo/prometheus-process.ts";
import { startWatch, type WatchProcess } from "../../../evals/demo/watch-process.ts";
import { startArgoCd } from "../../../evals/real-kubernetes/argocd.ts";
import { type AuditedWrite, auditedWrites } from "../../../evals/real-kubernetes/audit.ts";
import type { ControlPlane } from "../../../evals/real-kubernetes/control-plane.ts";
import { argocdPolicy, giveRoles, type Roles } from "../../../evals/real-kubernetes/roles.ts";
import { type Chance, chance } from "../../../evals/real-kubernetes/shop/chance.ts";
import { createImages, type Images } from "../../../evals/real-kubernetes/shop/images.ts";
import { startPages } from "../../../evals/real-kubernetes/shop/pages.ts";
import { followPods, type PodEye } from "../../../evals/real-kubernetes/shop/pod-eye.ts";
import { createTraffic, type Traffic } from "../../../evals/real-kubernetes/shop/traffic.ts";
import { prometheusConfig } from "../../../evals/sandbox/discovery.ts";
import { startTestPlane } from "../kubernetes/plane.ts";
import { realParts } from "../real-parts.ts";
import { ARGOCD_VARIABLES, CHANNEL_VARIABLE, type FleetService, fleetConfiguration } from "./configuration.ts";
import { ACCOUNTS, type GitOps, openGitOps, PEOPLE } from "./git-ops.ts";
import { recordTruth, type TruthRecord } from "./truth.ts";
import { openTwin, type Twin } from "./twin.ts";
import { type Desk, openDesk, type Workload } from "./workloads.ts";

export const NAMESPACE = "shop";
const TWIN = "twin";

export interface FleetOptions {
  readonly services: readonly FleetService[];
  /** In unship's configuration as well, and deployed for the first time by a trouble. */
  readonly later?: readonly FleetService[];
  readonly seed: number;
  readonly edgeNode?: boolean;
  /** Debian's Prometheus scrapes the pods' pages; without it unship's own scraper does. */
  readonly prometheus: boolean;
  readonly limits?: { readonly perHour: number; readonly perDay: number };
}

/** A shop on a real control plane, its twin, and a watch and a gate of unship as two processes. */
export interface Fleet extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly roles: Roles;
  readonly services: readonly FleetService[];
  readonly images: Images;
  readonly traffic: Traffic;
  readonly truth: TruthRecord;
  readonly eye: PodEye;
  readonly by: Chance;
  readonly twin: Twin;
  /** Does to the shop and to its twin what people do. */
  readonly desk: Desk;
  /** Does to both what people do past Git, where a workload is released by Git. */
  readonly pastGit: Desk;
  /** Where a service is released by Git; null elsewhere. */
  readonly gitOps: GitOps | null;
  readonly watch: WatchProcess;
  readonly gate: GateProcess;
  readonly directory: string;
  service(name: string): FleetService;
  /** What the two roles wrote so far: refused and dry writes are not among them, nor are `notes`. */
  acts(): readonly AuditedWrite[];
  /** Writes that only mark a trial as one on which an act is about to be done, and change nothing else of the object. */
  notes(): readonly AuditedWrite[];
  /** Pods that are not ready though they should be. */
  missing(service: string): number;
}

const TICK_MS = 200;
const PATIENCE_MS = 60_000;

/** Every service at its second version, all of them ready, unship watching. The baseline is still to be measured. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const own = new AsyncDisposableStack();
  try {
    return await start(options, own);
  } catch (error) {
    await own.disposeAsync();
    throw error;
  }
}

async function start(
  { services: first, later = [], seed, edgeNode = false, prometheus, limits }: FleetOptions,
  own: AsyncDisposableStack,
): Promise<Fleet> {
  const parts = realParts();
  if (parts === null) throw new Error("UNSHIP_REAL_PARTS names no folder");
  const directory = mkdtempSync(join(tmpdir(), "unship-fleet-"));
  const keep = process.env.UNSHIP_KEEP === "1";
  if (!keep) own.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  mkdirSync(join(directory, "run"), { mode: 0o700 });
  const plane = own.use(
    await startTestPlane({
      edgeNode,
      nodeGraceSeconds: 20,
      evictionSeconds: 30,
      rollouts: [...first, ...later].some(({ workload }) => workload.kind === "Rollout"),
      // A list's next page is read from etcd, so that it expires with what etcd forgets (`ControlPlane.compact`).
      apiServerArgs: ["--feature-gates=ListFromCacheSnapshot=false"],
    }),
  );
  const roles = await giveRoles(plane, NAMESPACE);
  await plane.admin.must("POST", "/api/v1/namespaces", {
    body: { apiVersion: "v1", kind: "Namespace", metadata: { name: TWIN } },
  });

  const services = [...first, ...later];
  const by = chance(seed);
  const modelOf = (name: string) => services.find((one) => one.name === name);
  const images = createImages((name) => modelOf(name)?.latencySeconds ?? 0.05, by);
  const traffic = createTraffic(services, images, chance(seed + 1));
  const eye = own.use(followPods(plane.admin, NAMESPACE));
  const wanted = new Map(services.map(({ name, workload }) => [name, workload.replicas]));
  const missing = (service: string) => {
    const pods = eye.pods().filter((pod) => pod.service === service);
    const ready = pods.filter((pod) => pod.ready).length;
    return Math.max(0, pods.length - ready, pods.length === 0 ? 0 : (wanted.get(service) ?? 0) - ready);
  };
  const truth = recordTruth(
    services.map(({ name }) => name),
    traffic,
    missing,
  );
  let last = Date.now();
  const ticking = setInterval(() => {
    const now = Date.now();
    traffic.advance(now - last, eye.pods(), now);
    truth.note(now);
    last = now;
  }, TICK_MS);
  own.defer(() => clearInterval(ticking));
  const pages = own.use(await startPages(traffic, eye.pods));

  const pastGit = both(openDesk(plane.admin, NAMESPACE), openDesk(plane.admin, TWIN), wanted);
  const argocd = services.some(({ workload }) => workload.byGit === true)
    ? own.use(await startArgoCd(plane, { parts, directory: plane.directory, ...argocdAccounts() }))
    : null;
  const gitOps =
    argocd === null ? null : await openGitOps(plane, argocd, { directory, first: NAMESPACE, second: TWIN });
  const desk = gitOps === null ? pastGit : byGit(pastGit, gitOps);
  const twin = openTwin(plane, parts, NAMESPACE, TWIN);
  const settled = async () => {
    for (let rest = PATIENCE_MS; rest > 0; rest -= 100) {
      const unready = first.filter(({ name, workload }) => {
        const pods = eye.pods().filter((pod) => pod.service === name && pod.ready);
        return pods.length < workload.replicas || missing(name) > 0;
      });
      if (unready.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the shop never got ready: ${JSON.stringify(eye.pods().filter((pod) => !pod.ready))}`);
  };
  // The first version has served before the second one comes, so that each is a revision of its own.
  for (const { workload } of first) await desk.create(workload, images.issue(workload.name));
  await settled();
  for (const { workload } of first) await desk.deploy(workload, images.issue(workload.name));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  // A canary is on trial until somebody lets it go on.
  await Promise.all(
    first.filter(({ workload }) => workload.strategy === "canary").map(({ workload }) => desk.promote(workload)),
  );
  await settled();

  const metrics = prometheus
    ? { prometheus: await scraper(pages.discovery, directory, own) }
    : { discovery: pages.discovery.href };
  const config = join(directory, "unship.yaml");
  writeFileSync(
    config,
    fleetConfiguration({
      namespace: NAMESPACE,
      directory,
      services,
      roles,
      metrics,
      ...(argocd === null ? {} : { argocd: argocd.url.href }),
      ...(limits === undefined ? {} : { limits }),
    }),
  );
  const channel = { [CHANNEL_VARIABLE]: `channel-of-fleet-${seed}-0123456789` };
  const tokens = (account: string, variable: string) => (argocd === null ? {} : { [variable]: argocd.token(account) });
  const read = { ...channel, ...tokens(ACCOUNTS.read, ARGOCD_VARIABLES.read) };
  const gate = own.use(
    await startGate({ directory, config, variables: { ...read, ...tokens(ACCOUNTS.gate, ARGOCD_VARIABLES.gate) } }),
  );
  const watch = own.use(startWatch({ directory, config, variables: read }));
  if ((await watch.until(({ event }) => event === "watch.started", PATIENCE_MS)) === null)
    throw new Error(`the watch did not start; see ${join(directory, "watch.stderr.log")}`);
  const written = () =>
    auditedWrites(plane.directory, /:unship-(read|gate)$/).filter(
      ({ dryRun, status, resource, namespace }) =>
        !dryRun && status < 300 && namespace === NAMESPACE && resource !== "selfsubjectaccessreviews",
    );
  return {
    plane,
    roles,
    services,
    images,
    traffic,
    truth,
    eye,
    by,
    twin,
    desk,
    pastGit,
    gitOps,
    watch,
    gate,
    directory,
    service(name) {
      const found = modelOf(name);
      if (found === undefined) throw new Error(`there is no service ${name}`);
      return found;
    },
    acts: () => written().filter((one) => !isNote(one)),
    notes: () => written().filter(isNote),
    missing,
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

/** A patch of one annotation, the mark of an act, and of nothing else. */
function isNote({ resource, subresource, body }: AuditedWrite): boolean {
  if (resource !== "rollouts" || subresource !== "" || !Array.isArray(body)) return false;
  const changing = body.filter(({ op }) => op !== "test");
  return changing.length === 1 && changing[0].path === "/metadata/annotations/unship.dev~1act";
}

/** unship's two accounts with what the documentation gives them, and one that may do everything. */
const argocdAccounts = () => ({
  accounts: [...Object.values(ACCOUNTS), PEOPLE],
  policy: `${argocdPolicy()}\ng, ${PEOPLE}, role:admin\n`,
});

async function scraper(discovery: URL, directory: string, own: AsyncDisposableStack): Promise<string> {
  const config = join(directory, "prometheus.yml");
  writeFileSync(config, prometheusConfig(discovery.href));
  return own.use(await startPrometheus(config, join(directory, "prometheus"))).url;
}

/** What is released by Git is deployed by commits alone. */
const byGit = (desk: Desk, gitOps: GitOps): Desk => {
  const released = (workload: Workload, image: string, otherwise: () => Promise<void>) =>
    workload.byGit === true ? gitOps.release(workload, image) : otherwise();
  return {
    ...desk,
    create: (workload, image) => released(workload, image, () => desk.create(workload, image)),
    deploy: (workload, image) => released(workload, image, () => desk.deploy(workload, image)),
  };
};

/** One desk whose every act happens to both; what it reads is the first's. */
function both(first: Desk, second: Desk, wanted: Map<string, number>): Desk {
  const twice = async (act: (desk: Desk) => Promise<void>) => void (await Promise.all([act(first), act(second)]));
  return {
    create: (workload, image) => twice((desk) => desk.create(workload, image)),
    deploy: (workload, image) => twice((desk) => desk.deploy(workload, image)),
    restart: (workload, at) => twice((desk) => desk.restart(workload, at)),
    scale: (workload: Workload, replicas) => {
      wanted.set(workload.name, replicas);
      return twice((desk) => desk.scale(workload, replicas));
    },
    pause: (workload, paused) => twice((desk) => desk.pause(workload, paused)),
    apply: (workload, image, manager) => twice((desk) => desk.apply(workload, image, manager)),
    deleteBroken: (workload) => twice((desk) => desk.deleteBroken(workload)),
    promote: (workload) => twice((desk) => desk.promote(workload)),
    imageOf: (workload) => first.imageOf(workload),
  };
}
