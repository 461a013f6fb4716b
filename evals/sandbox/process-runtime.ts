import { mkdirSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { compileCache as sharedCompileCache } from "../compile-cache.ts";
import { type Child, startChild, stopChild } from "./child.ts";
import type { ImageRegistry } from "./images.ts";
import type { PodRuntime, PodStart, RunningPod } from "./pod-runtime.ts";
import type { FlagAccess } from "./service/flags.ts";
import type { EndpointTable } from "./service/life.ts";
import type { EndpointNews, PodOrders } from "./service/main.ts";
import type { ImageManifest } from "./service/manifest.ts";

export interface RuntimeOptions {
  readonly registry: ImageRegistry;
  /** Pods write `logs/<pod>.jsonl` and `stderr/<pod>.log` below it. */
  readonly directory: string;
  readonly collector: URL;
  readonly flags: FlagAccess;
  /** Share of traces that are sampled, 0–1. */
  readonly traceRatio: number;
}

/** A pod whose process runs, ready or not. */
export interface LivePod {
  readonly pod: string;
  readonly namespace: string;
  readonly service: string;
  readonly version: string;
  readonly port: number;
  readonly pid: number;
}

export interface ProcessRuntime extends PodRuntime {
  readonly logDirectory: string;
  readonly compileCache: string;
  live(): readonly LivePod[];
  /** Tells every pod, and every pod that starts later, which endpoints are ready. */
  publish(table: EndpointTable): void;
  /** Kills whatever still runs. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A kubelet's default for `timeoutSeconds` of a probe. */
const PROBE_TIMEOUT_MS = 1000;

/** Runs each pod as a node process of the one service program, with its own image's manifest. */
export function createProcessRuntime({ registry, directory, ...rest }: RuntimeOptions): ProcessRuntime {
  const logDirectory = join(directory, "logs");
  const stderrDirectory = join(directory, "stderr");
  const compileCache = sharedCompileCache() ?? join(directory, "compile-cache");
  for (const made of [logDirectory, stderrDirectory, compileCache]) mkdirSync(made, { recursive: true });
  const running = new Map<Child, LivePod>();
  let news: EndpointNews = { kind: "endpoints", table: {} };

  async function launch(pod: PodStart, manifest: ImageManifest): Promise<RunningPod> {
    const stderrFile = join(stderrDirectory, `${pod.name}.log`);
    const child = startChild("./service/main.ts", { stderrFile, env: pod.env, compileCache });
    const orders: PodOrders = {
      kind: "start",
      manifest,
      pod: pod.name,
      logFile: join(logDirectory, `${pod.name}.jsonl`),
      collector: rest.collector.href,
      flags: rest.flags,
      traceRatio: rest.traceRatio,
    };
    child.say(orders);
    child.say(news);
    const { service, version } = manifest;
    const entry = { pod: pod.name, namespace: pod.namespace, service, version, pid: child.pid };
    running.set(child, { ...entry, port: 0 });
    void child.exited.then(() => running.delete(child));
    const port = portOf(await child.firstLine);
    if (running.has(child)) {
      running.set(child, { ...entry, port });
      child.say(news);
    }
    return {
      pid: child.pid,
      port,
      ready: async () => running.has(child) && port > 0 && (await probe(port)),
      stop: (graceMs) => stopChild(child, graceMs),
      onExit: (listener) => void child.exited.then(listener),
    };
  }

  return {
    logDirectory,
    compileCache,
    async start(pod) {
      const manifest = registry.pull(pod.image);
      if (manifest === undefined) throw new Error(`image "${pod.image}" is not in the registry`);
      return launch(pod, manifest);
    },
    live: () => [...running.values()].filter(({ port }) => port > 0),
    publish(table) {
      news = { kind: "endpoints", table };
      for (const child of running.keys()) child.say(news);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running.keys()].map((child) => stopChild(child, 0)));
    },
  };
}

/** The port that a program said; 0 where it ended without saying one (its exit is then reported as any other). */
export function portOf(line: unknown): number {
  return typeof line === "object" && line !== null && "port" in line && typeof line.port === "number" ? line.port : 0;
}

/** One HTTP probe: success is a status from 200 to 399, as for a kubelet. */
function probe(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, path: "/readyz", agent: false, timeout: PROBE_TIMEOUT_MS };
    const asked = get(options, (answer) => {
      answer.resume();
      const { statusCode = 0 } = answer;
      resolve(statusCode >= 200 && statusCode < 400);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
  });
}
