import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settled } from "../../../evals/sandbox/rollouts.ts";
import { type Sandbox, startSandbox } from "../../../evals/sandbox/sandbox.ts";
import { build, SERVICES } from "../../../evals/sandbox/shop.ts";
import { REPLICAS } from "../../../evals/sandbox/workloads.ts";
import { requireReal } from "../../real-component.ts";
import { until } from "./small-shop.ts";

const directory = mkdtempSync(join(tmpdir(), "sandbox-"));
let sandbox: Sandbox;
const api = (path: string) => new URL(path, sandbox.endpoints.kubernetes);
const getJson = async (url: URL | string, headers = {}) => JSON.parse(await (await fetch(url, { headers })).text());

/** Share of visits that failed in the next `seconds` reports. */
async function failedShare(seconds: number): Promise<number> {
  const from = sandbox.traffic().length;
  const reports = await until(() => {
    const fresh = sandbox.traffic().slice(from);
    return fresh.length >= seconds ? fresh : undefined;
  });
  const sum = (of: "failed" | "sent") => reports.reduce((total, report) => total + report[of], 0);
  return sum("failed") / sum("sent");
}

beforeAll(async () => {
  sandbox = await startSandbox({ directory, requestsPerSecond: 80 });
  sandbox.bankRefuses(0);
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

describe("the sandbox", () => {
  it("starts steady: every Deployment complete at its second revision, visitors served", async () => {
    const { items } = await getJson(api("/apis/apps/v1/namespaces/production/deployments"));
    const seen = items.map((item: { metadata: { name: string; annotations: Record<string, string> } }) => [
      item.metadata.name,
      item.metadata.annotations["deployment.kubernetes.io/revision"],
    ]);
    expect(new Map(seen)).toEqual(new Map(SERVICES.map((service) => [service, "2"])));
    // What stands was deployed days ago, so that nothing of it can be taken for a recent change.
    const replicaSets = await getJson(api("/apis/apps/v1/namespaces/production/replicasets"));
    for (const { metadata } of [...items, ...replicaSets.items])
      expect(Date.now() - Date.parse(metadata.creationTimestamp)).toBeGreaterThan(86_400_000);
    expect(replicaSets.items).toHaveLength(2 * SERVICES.length);
    expect(sandbox.writes()).toEqual([]);
    // Whoever reads this file may write to the cluster.
    expect(statSync(sandbox.endpoints.kubeconfigPath).mode & 0o777).toBe(0o600);
    await until(async () => ((await failedShare(2)) === 0 ? true : undefined));
  });

  it("lists every pod for Prometheus, with the labels that its own series carry", async () => {
    const targets: { targets: string[]; labels: Record<string, string> }[] = await getJson(
      sandbox.endpoints.metricsDiscovery,
    );
    expect(targets).toHaveLength(SERVICES.length * REPLICAS);
    for (const {
      targets: [host],
      labels,
    } of targets) {
      const text = await (await fetch(`http://${host}/metrics`)).text();
      const { service, version, pod } = labels;
      expect(text).toContain(`service="${service}",version="${version}",pod="${pod}"`);
    }
  });

  it("passes people on to the gateway, and calls the whole graph under traces and logs", async () => {
    // A machine that is busy with other tests lets a single visit run out of its time now and then.
    const answer = await until(async () => {
      const visit = await fetch(`${sandbox.endpoints.gateway}browse`);
      const text = await visit.text();
      return visit.ok ? JSON.parse(text) : undefined;
    });
    expect(answer).toEqual({ service: "gateway", version: "1.1.0" });
    const links = await until(async () => {
      const found = await getJson(`${sandbox.endpoints.zipkin}api/v2/dependencies?endTs=${Date.now()}`);
      return found.length >= 10 ? found : undefined;
    });
    expect(links).toContainEqual(expect.objectContaining({ parent: "payments", child: "bank" }));
    const lines = readdirSync(sandbox.endpoints.logs).flatMap((file) =>
      readFileSync(join(sandbox.endpoints.logs, file), "utf8").trimEnd().split("\n"),
    );
    const entries = lines.map((line) => JSON.parse(line));
    for (const entry of entries) {
      expect(entry).toEqual(expect.objectContaining({ at: expect.any(String), service: expect.any(String) }));
      // The bank refuses two in a thousand until it is told not to, just after the start: its callers pass that on.
      if (entry.level !== "info")
        expect(entry).toMatchObject({ level: "error", message: expect.stringMatching(/^upstream /) });
    }
    expect(entries.filter(({ level }) => level === "info").length).toBeGreaterThan(entries.length / 2);
  });

  it("rolls a good version out without failing a single visitor", async () => {
    sandbox.push(build("catalog", "1.1.1"));
    const at = await sandbox.deploy("catalog", "1.1.1", "ana");
    expect(Math.abs((sandbox.writes()[0]?.at ?? 0) - at)).toBeLessThan(10_000);
    const during = failedShare(4);
    await settled(api("/"));
    expect(await during).toBe(0);
    // A rollout is complete before the last old pod has ended: it answers what it has begun, and is scraped until then.
    const versions = await until(async () => {
      const targets: { labels: Record<string, string> }[] = await getJson(sandbox.endpoints.metricsDiscovery);
      const found = targets.filter(({ labels }) => labels.service === "catalog").map(({ labels }) => labels.version);
      return found.includes("1.1.0") ? undefined : found;
    });
    expect(versions).toEqual(Array(REPLICAS).fill("1.1.1"));
  });

  it("breaks by a bad deploy, knows it in that version's process alone, and recovers when it is taken back", async () => {
    const events: string[] = [];
    await sandbox.play({ scenario: "bad-deploy", onEvent: ({ event }) => events.push(event) });
    expect(events).toEqual(["deployed", "played"]);
    await settled(api("/"));
    expect(await failedShare(3)).toBeGreaterThan(0.03);
    if (process.platform === "linux") {
      const told = new Set(sandbox.processes().map((pid) => readFileSync(`/proc/${pid}/environ`, "utf8")));
      expect(told.size).toBe(1);
      for (const pid of sandbox.processes())
        expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toMatch(/payments|1\.2\.0|bad|scenario/);
    }
    const path = "/apis/apps/v1/namespaces/production/deployments/payments";
    const headers = { "content-type": "application/strategic-merge-patch+json" };
    const containers = [{ name: "payments", image: "shop/payments:1.1.0" }];
    const body = JSON.stringify({ spec: { template: { spec: { containers } } } });
    expect((await fetch(api(path), { method: "PATCH", headers, body })).status).toBe(200);
    await settled(api("/"));
    await until(async () => ((await failedShare(2)) === 0 ? true : undefined));
    expect(sandbox.writes().map(({ method, path, own }) => [method, path.split("?")[0], own])).toEqual([
      ["PATCH", path.replace("payments", "catalog"), true],
      ["PATCH", path, true],
      ["PATCH", path, false],
    ]);
  });

  it("breaks by a flag through the flag API, and tells the guest's switch from its own", async () => {
    await sandbox.play({ scenario: "flag" });
    await until(async () => ((await failedShare(1)) > 0.05 ? true : undefined));
    const { flags, flagToken } = sandbox.endpoints;
    const environment = `${flags}api/admin/projects/default/features/express-checkout/environments/production`;
    const headers = { authorization: flagToken };
    expect((await fetch(`${environment}/off`, { method: "POST", headers })).status).toBe(200);
    await until(async () => ((await failedShare(1)) === 0 ? true : undefined));
    const { events } = await getJson(`${flags}api/admin/events`, headers);
    expect(events.slice(0, 2).map(({ type, createdBy }: Record<string, string>) => [type, createdBy])).toEqual([
      ["feature-environment-disabled", "unship"],
      ["feature-environment-enabled", "fay"],
    ]);
    const written = sandbox.writes().filter(({ api }) => api === "flags");
    expect(written.map(({ own }) => own)).toEqual([true, false]);
  });

  it("fails from outside when the bank does, and nobody has written anything", async () => {
    const before = sandbox.writes().length;
    await sandbox.play({ scenario: "external-outage" });
    await until(async () => ((await failedShare(1)) > 0.05 ? true : undefined));
    sandbox.bankRefuses(0);
    await until(async () => ((await failedShare(1)) === 0 ? true : undefined));
    expect(sandbox.writes()).toHaveLength(before);
  });

  it.runIf(requireReal("prometheus", "prometheus"))(
    "is scraped by Prometheus with the configuration that it writes",
    async () => {
      const data = mkdtempSync(join(tmpdir(), "prometheus-"));
      const port = await freePort();
      const prometheus = spawn(
        "prometheus",
        [
          `--config.file=${sandbox.endpoints.prometheusConfigPath}`,
          `--storage.tsdb.path=${data}`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        { stdio: "ignore" },
      );
      const query = "count(up == 1) and count(count by (service) (http_requests_total))";
      const count = await until(async () => {
        const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
        const answer = await getJson(url).catch(() => undefined);
        const value = answer?.data?.result[0]?.value[1];
        return value === String(SERVICES.length * REPLICAS) ? value : undefined;
      });
      expect(count).toBe("14");
      const ended = new Promise((resolve) => prometheus.once("exit", resolve));
      prometheus.kill();
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  );
});

describe("a sandbox whose parent is killed", () => {
  it("leaves no process behind", async () => {
    const abandoned = mkdtempSync(join(tmpdir(), "sandbox-"));
    const script = join(import.meta.dirname, "abandoned-sandbox.ts");
    const parent = spawn(process.execPath, [script, abandoned], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve) =>
      createInterface({ input: parent.stdout }).once("line", resolve),
    );
    const pids: number[] = JSON.parse(line);
    expect(pids).toHaveLength(SERVICES.length * REPLICAS + 2);
    expect(pids.every(isAlive)).toBe(true);
    parent.kill("SIGKILL");
    await until(() => (pids.some(isAlive) ? undefined : true));
    rmSync(abandoned, { recursive: true, force: true });
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
