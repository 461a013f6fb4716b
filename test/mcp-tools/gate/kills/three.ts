import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import type { Plan } from "../../../../core/model/plan.ts";
import { type Cluster, startCluster } from "../../../../evals/sandbox/kube/cluster.ts";
import { kubeClient } from "../../../../mcp-tools/connectors/kubernetes/client.ts";
import { readHistory, type Workload } from "../../../../mcp-tools/connectors/kubernetes/history.ts";
import { parseKubeconfig } from "../../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { WorkloadObject } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { isComplete } from "../../../../mcp-tools/connectors/kubernetes/rollout-status.ts";
import { openDesk } from "../../../agent/cli/run-cli.ts";
import { deployment } from "../../../evals/sandbox/kube/manifests.ts";
import { fakePodRuntime } from "../../../fakes/fake-pod-runtime.ts";
import { startWire } from "../../../fakes/wire.ts";
import { type Acting, openActing, propose, SERVICES, type Task, threeTargets } from "./acting.ts";
import { type Death, type Life, live } from "./victim.ts";

type Service = (typeof SERVICES)[number];
const never = new AbortController().signal;
const NAMESPACE = "production";
/** What the deploys left: 1.0.0 is revision 1 and 2.0.0 is revision 2. */
const PLANNED = threeTargets({ from: "2", to: "1" });

export interface LiveOptions {
  readonly again?: boolean;
  readonly aheadMs?: number;
  readonly late?: Promise<void>;
}

/** A pod takes a moment to become ready: the plan has to wait for each service before the next. */
const STARTS_MS = 60;

/** Three services at 2.0.0 in an imitated cluster, a plan to take them back to 1.0.0, and a ledger on disk. */
export interface Three extends AsyncDisposable {
  readonly plan: Plan;
  /** A process that carries out the plan, until its end or its death. `again`: one that was started anew. */
  live(death: Death, more?: LiveOptions): Promise<Life>;
  /** What `unship status` says, once each line of it was held against what stands. */
  expectTruth(): Promise<string>;
  /** Resolves when nothing is on its way to the cluster. */
  quiet(): Promise<void>;
  /** The statuses with which the API refused a write. */
  refused(): readonly number[];
  /** The services that this plan has written, each as often as it was. */
  written(): readonly string[];
  version(service: Service): Promise<string>;
  /** Somebody deploys this version. */
  deploy(service: Service, version: string): Promise<void>;
  pause(): Promise<void>;
  status(): Promise<string>;
  /** That the ledger's chain holds, and how often something stands in it. */
  audited(kind: string): Promise<number>;
}

export async function startThree(ledger?: { readonly url: string }): Promise<Three> {
  const folder = mkdtempSync(join(tmpdir(), "unship-kills-"));
  const runtime = fakePodRuntime();
  const since = new Map<string, number>();
  runtime.readyWhen(({ name }) => {
    const first = since.get(name) ?? performance.now();
    since.set(name, first);
    return performance.now() - first >= STARTS_MS;
  });
  const cluster = await startCluster({ runtime, timings: { probePeriodMs: 10 } });
  const wire = await startWire(cluster.url);
  const where: Task["ledger"] = ledger ?? { file: join(folder, "ledger.db") };
  const cli = openDesk("url" in where ? where : { ledger: where.file });
  const client = kubeClient(parseKubeconfig(cluster.kubeconfig(), "kubeconfig", null));
  const workload = async (service: string): Promise<Workload> =>
    readHistory(client, "Deployment", await client.get("Deployment", NAMESPACE, service, WorkloadObject, never), never);
  const deploy = async (service: string, version: string) => {
    await cluster.apply(manifest(service, version));
    await until(async () => {
      const found = await workload(service);
      return found.current?.version === version && isComplete(found);
    });
  };
  for (const version of ["1.0.0", "2.0.0"]) await Promise.all(SERVICES.map((service) => deploy(service, version)));

  const task = (planId: string, again: boolean, aheadMs: number): Omit<Task, "stepped"> => ({
    ledger: where,
    targets: { kubernetes: wire.url.href },
    fresh: PLANNED,
    planId,
    again,
    aheadMs,
  });
  const desk = async <T>(work: (acting: Acting) => Promise<T>): Promise<T> => {
    await using acting = await openActing({ ...task("", false, 0), stepped: false });
    return await work(acting);
  };
  const plan = await desk((acting) => propose(acting, PLANNED));
  const written = () => ownWrites(cluster);
  const status = async () => {
    const { code, out, err } = await cli.run(["status"]);
    expect(code, err).toBe(0);
    return out;
  };
  return {
    plan,
    live: (death, { again = false, aheadMs = 0, late } = {}) => live(task(plan.id, again, aheadMs), wire, death, late),
    quiet: () => wire.quiet(),
    refused: () => cluster.writes.filter(({ status: code }) => code >= 400).map(({ status: code }) => code),
    written,
    status,
    version: async (service) => (await workload(service)).current?.version ?? "none",
    deploy,
    pause: () => desk(async ({ gate }) => void (await gate.pause("*", "cli:zoe"))),
    audited: (kind) =>
      desk(async ({ store }) => {
        expect(await store.verify()).toMatchObject({ ok: true, problems: [] });
        return (await store.entries({ incidentId: plan.incidentId, kinds: [kind] })).length;
      }),
    async expectTruth() {
      const said = await status();
      const writes = written();
      const stands = await Promise.all(SERVICES.map(async (service) => (await workload(service)).object));
      const lines = said.split("\n").filter((line) => /^ {4}[123]\. Deployment/.test(line));
      if (lines.length === 0) expect(writes, said).toEqual([]);
      else expect(lines, said).toHaveLength(SERVICES.length);
      for (const [index, line] of lines.entries()) {
        const service = SERVICES[index] ?? "web";
        const times = writes.filter((one) => one === service).length;
        const image = imageOf(stands[index]);
        expect(line, said).toContain(`production/${service}: `);
        const claim = CLAIMS.find(([words]) => line.includes(words));
        expect(claim, `status says what nobody can check: ${line}`).toBeDefined();
        expect(claim?.[1](times, image), `${line}\nbut ${image} stands after ${times} writes`).toBe(true);
        if (times > 0 && index > 0)
          expect(lines[index - 1], "each waits for the one before").toContain("rolled back, it is at 1.0.0");
      }
      return said;
    },
    async [Symbol.asyncDispose]() {
      cli[Symbol.dispose]();
      await client.close();
      await wire[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What `unship status` may say of a target, and whether that is true after so many writes of ours where this stands. */
const CLAIMS: readonly (readonly [words: string, holds: (writes: number, image: string) => boolean])[] = [
  [": rolled back, it is at 1.0.0", (writes, image) => writes === 1 && image.endsWith(":1.0.0")],
  [
    ": not begun, it is at 2.0.0 unless somebody else changed it",
    (writes, image) => writes === 0 && !image.endsWith(":1.0.0"),
  ],
  [": being rolled back; the outcome is not known yet", (writes) => writes <= 1],
  [": not rolled back (", (writes) => writes === 0],
];

/** The services whose write of ours the API took, in order. */
function ownWrites({ writes }: Cluster): readonly string[] {
  return writes
    .filter(({ dryRun, status }) => !dryRun && status === 200)
    .map(({ path }) => /\/deployments\/([^/?]+)/.exec(path)?.[1] ?? path);
}

function manifest(service: string, version: string) {
  const labels = { app: service };
  const { spec, ...rest } = deployment(`shop/${service}:${version}`, {
    replicas: 2,
    selector: { matchLabels: labels },
  });
  const template = { ...(spec as { template: { spec: unknown } }).template, metadata: { labels } };
  return { ...rest, metadata: { name: service, namespace: NAMESPACE, labels }, spec: { ...spec, template } };
}

function imageOf(object: WorkloadObject | undefined): string {
  const spec = object?.spec.template.spec as { readonly containers: readonly { readonly image: string }[] } | undefined;
  return spec?.containers[0]?.image ?? "none";
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 1000; turn++) {
    if (await holds().catch(() => false)) return;
    await delay(10);
  }
  throw new Error("the cluster never got there");
}
