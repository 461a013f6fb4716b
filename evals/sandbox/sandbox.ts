import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actsOn, type SandboxEvent } from "./acts.ts";
import { startChild, stopChild } from "./child.ts";
import { createDeployer, switchFlag } from "./deployer.ts";
import { prometheusConfig, startDiscovery } from "./discovery.ts";
import { startEdge } from "./edge.ts";
import type { SandboxEndpoints } from "./endpoints.ts";
import { openRegistry } from "./images.ts";
import { startCluster } from "./kube/cluster.ts";
import { createLifetime, type Lifetime } from "./lifetime.ts";
import { createPastClock } from "./past-clock.ts";
import { createProcessRuntime, portOf } from "./process-runtime.ts";
import { GUEST, PODS, startShopFlags } from "./release-desk.ts";
import { settled } from "./rollouts.ts";
import { SCENARIOS, type Scenario, type ScenarioName } from "./scenarios.ts";
import type { EndpointTable } from "./service/life.ts";
import type { ImageManifest } from "./service/manifest.ts";
import { build, EXTERNAL, FLAG, GOOD_VERSIONS, NAMESPACE } from "./shop.ts";
import type { TrafficReport } from "./traffic/main.ts";
import { startVisitors } from "./visitors.ts";
import { deploymentHistory } from "./workloads.ts";
import { servicesOf, WORLDS, type WorldName } from "./worlds.ts";
import { mergeWrites, type SandboxWrite } from "./writes.ts";
import { startZipkin } from "./zipkin/collector.ts";

export interface SandboxOptions {
  /** Everything that the sandbox writes goes below it; made if missing. */
  readonly directory: string;
  readonly scenario?: ScenarioName;
  /** What runs. Default: what the scenario needs, which is the shop alone unless it says more. */
  readonly worlds?: readonly WorldName[];
  /** Visits a second at the shop's gateway; the others have their own. */
  readonly requestsPerSecond?: number;
  /** Of the visitors' arrivals. */
  readonly seed?: number;
  /** How long a minute of a scenario's story lasts, ms. Default 12,000. */
  readonly storyMinuteMs?: number;
}

export interface Sandbox extends AsyncDisposable {
  readonly endpoints: SandboxEndpoints;
  /** Stores an image; a tag that exists is refused. */
  push(manifest: ImageManifest): string;
  deploy(service: string, tag: string, author: string, workload?: string): Promise<number>;
  setFlag(flag: string, enabled: boolean, author: string): Promise<number>;
  bankRefuses(share: number): void;
  /** Every mutating request that the APIs took in, the sandbox's own marked. */
  writes(): readonly SandboxWrite[];
  /** What the visitors of a world (default: the shop) saw, second by second; nothing where it does not run. */
  traffic(world?: WorldName): readonly TrafficReport[];
  /** Process ids of everything that runs beside this process: pods, bank, visitors. */
  processes(): readonly number[];
  /** Resolves when all rollouts are complete and visitors are served. */
  steady(): Promise<void>;
  /** Does to the system what the scenario says (default: the one it was started with, else quiet). */
  play(options?: { readonly scenario?: ScenarioName; readonly onEvent?: (event: SandboxEvent) => void }): Promise<void>;
}

const DEFAULT_STORY_MINUTE_MS = 12_000;
/** Enough for a failing request in a hundred to leave a trace every second, at a quarter of the cost of tracing all. */
const TRACE_RATIO = 0.25;

/**
 * Starts the whole system and returns when it is steady. Everything that it started ends with this process at the
 * latest. Throws where a part cannot be started; nothing is left running then.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const lifetime = createLifetime();
  try {
    mkdirSync(options.directory, { recursive: true });
    const system = await startSystem(options, lifetime);
    const sandbox = await openSandbox(system, options, lifetime);
    await sandbox.steady();
    return sandbox;
  } catch (error) {
    await lifetime.end();
    throw error;
  }
}

/** Everything that runs before a visitor comes: observability, flags, the bank, the cluster with its pods. */
async function startSystem({ directory, scenario, worlds: wanted }: SandboxOptions, lifetime: Lifetime) {
  const registry = openRegistry(join(directory, "registry"));
  const { canaryOf, worlds = wanted ?? ["shop"] }: Scenario = SCENARIOS[scenario ?? "quiet"];
  const services = servicesOf(worlds);
  for (const service of services) for (const version of GOOD_VERSIONS) registry.push(build(service, version));
  const zipkin = lifetime.add(await startZipkin(), (server) => server.close());
  const canaries = canaryOf === undefined ? [] : [canaryOf];
  const history = deploymentHistory(services, (service, version) => build(service, version).commit, canaries);
  const clock = createPastClock();
  clock.goTo(history[0]?.agoMs ?? 0);
  const flags = lifetime.add(await startShopFlags(clock.now), (server) => server.close());
  const access = { url: flags.url.href, token: PODS.secret };
  const runtime = lifetime.add(
    createProcessRuntime({ registry, directory, collector: zipkin.url, flags: access, traceRatio: TRACE_RATIO }),
    (pods) => pods[Symbol.asyncDispose](),
  );
  const bankOptions = { stderrFile: join(directory, "stderr", "bank.log"), compileCache: runtime.compileCache };
  const bank = lifetime.add(startChild("./service/bank.ts", bankOptions), (child) => stopChild(child, 0));
  const bankPort = portOf(await bank.firstLine);

  const cluster = lifetime.add(await startCluster({ runtime, now: clock.now }), async (one) => {
    await one[Symbol.asyncDispose]();
  });
  const table = (): EndpointTable => {
    const ready = services.map((service) => [service, cluster.readyEndpoints(NAMESPACE, { app: service })] as const);
    return {
      ...Object.fromEntries(ready.map(([service, pods]) => [service, pods.map(({ pod, port }) => ({ pod, port }))])),
      [EXTERNAL]: [{ pod: EXTERNAL, port: bankPort }],
    };
  };
  cluster.onEndpointsChange(() => runtime.publish(table()));
  for (const { agoMs, object } of history) {
    clock.goTo(agoMs);
    await cluster.apply(object);
    await cluster.idle();
  }
  await settled(cluster.url);
  clock.goTo(0);
  runtime.publish(table());
  return { registry, zipkin, flags, runtime, bank, cluster, table, worlds };
}

/** Lets the visitors in, and opens what the outside may use. */
async function openSandbox(
  { registry, zipkin, flags, runtime, bank, cluster, table, worlds }: Awaited<ReturnType<typeof startSystem>>,
  options: SandboxOptions,
  lifetime: Lifetime,
): Promise<Sandbox> {
  const { directory, requestsPerSecond = WORLDS.shop.requestsPerSecond, seed = 1 } = options;
  const { compileCache } = runtime;
  const visitors = new Map(
    worlds.map((name) => {
      const { door, mix, requestsPerSecond: usual } = WORLDS[name];
      const perSecond = name === "shop" ? requestsPerSecond : usual;
      const orders = { directory, compileCache, requestsPerSecond: perSecond, seed, door, mix, table: table() };
      return [name, startVisitors(orders)] as const;
    }),
  );
  for (const { child, publish } of visitors.values()) {
    lifetime.add(child, (one) => stopChild(one, 0));
    cluster.onEndpointsChange(() => publish(table()));
  }
  const discovery = lifetime.add(await startDiscovery(runtime.live), (server) => server.close());
  const edge = lifetime.add(await startEdge(() => table().gateway ?? []), (server) => server.close());
  const deployer = createDeployer(cluster.url, registry);

  const endpoints: SandboxEndpoints = {
    kubernetes: cluster.url.href,
    kubeconfigPath: join(directory, "kubeconfig"),
    namespace: NAMESPACE,
    metricsDiscovery: new URL("/targets", discovery.url).href,
    prometheusConfigPath: join(directory, "prometheus.yml"),
    flags: flags.url.href,
    flagToken: GUEST.secret,
    flagActor: GUEST.name,
    flagProject: FLAG.project,
    flagEnvironment: FLAG.environment,
    zipkin: zipkin.url.href,
    logs: runtime.logDirectory,
    gateway: edge.url.href,
  };
  writeFileSync(endpoints.kubeconfigPath, cluster.kubeconfig(), { mode: 0o600 });
  writeFileSync(endpoints.prometheusConfigPath, prometheusConfig(endpoints.metricsDiscovery));

  const sandbox: Sandbox = {
    endpoints,
    push: registry.push,
    deploy: deployer.deploy,
    setFlag: (flag, enabled, author) => switchFlag(flags, { flag, enabled, author }),
    bankRefuses: (share) => bank.say({ refuses: share }),
    writes: () => mergeWrites(cluster.writes, flags.writes, { sent: deployer.sent, guest: GUEST.name }),
    traffic: (world = "shop") => visitors.get(world)?.reports ?? [],
    processes: () => [
      ...runtime.live().map(({ pid }) => pid),
      bank.pid,
      ...[...visitors.values()].map(({ child }) => child.pid),
    ],
    async steady() {
      await settled(cluster.url);
      for (const { next } of visitors.values()) while ((await next()).answered === 0);
    },
    async play({ scenario = options.scenario ?? "quiet", onEvent = () => undefined } = {}) {
      const { storyMinuteMs = DEFAULT_STORY_MINUTE_MS } = options;
      await SCENARIOS[scenario].act(actsOn(sandbox, { storyMinuteMs, onEvent }));
      onEvent({ event: "played", at: Date.now(), scenario });
    },
    [Symbol.asyncDispose]: () => lifetime.end(),
  };
  return sandbox;
}
