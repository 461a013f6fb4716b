import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { startCluster } from "../../../evals/sandbox/kube/cluster.ts";
import { kubeconfigFor } from "../../../evals/sandbox/kube/kubeconfig.ts";
import { fakeExporter } from "../../fakes/fake-exporter.ts";
import { fakePodRuntime } from "../../fakes/fake-pod-runtime.ts";
import { startPrometheus } from "../../real/prometheus.ts";
import { type RunOptions, unship } from "./run-cli.ts";

/** A process that is scraped: its page for the n-th scrape. */
export type Page = (scrape: number) => string;

/** One process of a service as widely used client libraries show it. `failing`: has answered with 500, too. */
export function httpProcess(
  labels: Readonly<Record<string, string>>,
  { failing = false, metric = "http_requests_total", status = "status" } = {},
): Page {
  const of = (more: Readonly<Record<string, string>>) =>
    Object.entries({ ...labels, ...more })
      .map(([name, value]) => `${name}="${value}"`)
      .join(",");
  return (scrape) => {
    const count = scrape * 50;
    const statuses = failing ? { "200": count, "500": scrape } : { "200": count };
    return [
      `# TYPE ${metric.replace(/_total$/, "")} counter`,
      ...["/", "/orders"].flatMap((route) =>
        Object.entries(statuses).map(
          ([code, requests]) => `${metric}{${of({ route, method: "GET", [status]: code })}} ${requests}`,
        ),
      ),
      "# TYPE http_request_duration_seconds histogram",
      ...["0.1", "0.5", "1", "+Inf"].map(
        (le, index) =>
          `http_request_duration_seconds_bucket{${of({ route: "/", le })}} ${index === 0 ? count - 1 : count}`,
      ),
      `http_request_duration_seconds_sum{${of({ route: "/" })}} ${count / 20}`,
      `http_request_duration_seconds_count{${of({ route: "/" })}} ${count}`,
      'promhttp_metric_handler_requests_total{code="200"} 9',
      "",
    ].join("\n");
  };
}

export interface Deployed {
  readonly name: string;
  readonly namespace?: string;
  /** Labels of its pods beside `app`, which is its name unless given here. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly image?: string;
}

function manifest({ name, namespace = "shop", labels = {}, image = `registry/${name}:1.0.0` }: Deployed) {
  const marks = { app: name, ...labels };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels: marks },
    spec: {
      replicas: 1,
      selector: { matchLabels: marks },
      template: { metadata: { labels: marks }, spec: { containers: [{ name: "main", image }] } },
    },
  };
}

/** A real Prometheus that scrapes these processes, a cluster with these workloads, and a folder to run unship in. */
export async function openWorld(given: {
  readonly processes: readonly Page[];
  readonly workloads?: readonly Deployed[];
}) {
  const own = new AsyncDisposableStack();
  try {
    const folder = mkdtempSync(join(tmpdir(), "unship-world-"));
    own.defer(() => rmSync(folder, { recursive: true, force: true }));
    const addresses: string[] = [];
    for (const page of given.processes) {
      let scrapes = 0;
      const exporter = own.use(await fakeExporter(() => page(++scrapes)));
      addresses.push(exporter.address);
    }
    const prometheus = own.use(await startPrometheus({ scrape: addresses }));
    const cluster = own.use(await startCluster({ runtime: fakePodRuntime() }));
    for (const workload of given.workloads ?? []) await cluster.apply(manifest(workload));
    await cluster.idle();
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, kubeconfigFor(cluster.url));
    const ask = async (query: string): Promise<number> => {
      const answer = await fetch(new URL(`/api/v1/query?query=${encodeURIComponent(query)}`, prometheus.base));
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(data.result[0]?.value[1] ?? 0);
    };
    // A rate needs two samples of each process.
    while ((await ask("count(count_over_time(up[5m]) >= 3)")) < addresses.length) await wait(100);
    return {
      folder,
      kubeconfig,
      cluster,
      prometheus: prometheus.base.origin,
      ask,
      unship: (words: readonly string[], options: RunOptions = {}) => unship(words, { cwd: folder, ...options }),
      /** Writes a file of this text, and checks it. */
      async check(text: string, words: readonly string[] = []) {
        const file = join(folder, "checked.yaml");
        writeFileSync(file, text);
        return await unship(["check", "-c", "checked.yaml", ...words], { cwd: folder });
      },
      [Symbol.asyncDispose]: () => own.disposeAsync(),
    };
  } catch (error) {
    await own.disposeAsync();
    throw error;
  }
}
