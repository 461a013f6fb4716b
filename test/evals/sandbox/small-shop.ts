import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../../../evals/sandbox/child.ts";
import { openRegistry } from "../../../evals/sandbox/images.ts";
import type { RunningPod } from "../../../evals/sandbox/pod-runtime.ts";
import { createProcessRuntime, portOf } from "../../../evals/sandbox/process-runtime.ts";
import type { Endpoint } from "../../../evals/sandbox/service/life.ts";
import type { ImageManifest } from "../../../evals/sandbox/service/manifest.ts";
import { EXTERNAL } from "../../../evals/sandbox/shop.ts";
import { startZipkin } from "../../../evals/sandbox/zipkin/collector.ts";

export interface SmallShop extends AsyncDisposable {
  readonly directory: string;
  readonly collector: URL;
  readonly bank: Child;
  readonly runtime: ReturnType<typeof createProcessRuntime>;
  pod(service: string): RunningPod;
  url(service: string, path: string): URL;
  /** Points a name at other ports, as a change of endpoints would. */
  redirect(service: string, endpoints: readonly Endpoint[]): void;
}

/** One pod of each image and the bank, without a cluster in front: what the runtime and the service program do alone. */
export async function startSmallShop(
  images: readonly ImageManifest[],
  flags = { url: "http://127.0.0.1:9", token: "none" },
): Promise<SmallShop> {
  const directory = mkdtempSync(join(tmpdir(), "sandbox-"));
  const collector = await startZipkin();
  const registry = openRegistry(join(directory, "registry"));
  const runtime = createProcessRuntime({ registry, directory, collector: collector.url, flags, traceRatio: 0 });
  const childOptions = { stderrFile: join(directory, "bank.log"), compileCache: runtime.compileCache };
  const bank = startChild("./service/bank.ts", childOptions);
  bank.say({ refuses: 0 });
  const pods = new Map<string, RunningPod>();
  let table: Record<string, readonly Endpoint[]> = {
    [EXTERNAL]: [{ pod: EXTERNAL, port: portOf(await bank.firstLine) }],
  };
  await Promise.all(
    images.map(async (manifest) => {
      const { service } = manifest;
      const start = { name: `${service}-1`, namespace: "production", labels: { app: service }, env: {} };
      const pod = await runtime.start({ ...start, image: registry.push(manifest) });
      pods.set(service, pod);
      table = { ...table, [service]: [{ pod: start.name, port: pod.port }] };
    }),
  );
  runtime.publish(table);
  const podOf = (service: string) => {
    const pod = pods.get(service);
    if (pod === undefined) throw new Error(`no pod of ${service}`);
    return pod;
  };
  return {
    directory,
    collector: collector.url,
    bank,
    runtime,
    pod: podOf,
    url: (service, path) => new URL(path, `http://127.0.0.1:${podOf(service).port}`),
    redirect(service, endpoints) {
      table = { ...table, [service]: endpoints };
      runtime.publish(table);
    },
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]();
      bank.signal("SIGKILL");
      await bank.exited;
      await collector.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Asks until the answer is defined; the test's own time-out ends a wait that never ends. */
export async function until<T>(ask: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Sum of a metric's samples that carry all these labels, from a scrape in the text format. */
export async function scraped(
  url: URL,
  metric: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(url)).text();
  let sum = 0;
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${metric}{`)) continue;
    if (Object.entries(labels).every(([name, value]) => line.includes(`${name}="${value}"`)))
      sum += Number(line.slice(line.lastIndexOf(" ")));
  }
  return sum;
}
