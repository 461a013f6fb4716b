import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { connectTools } from "../../../agent/chain/mcp-client.ts";
import { compileCacheVariable } from "../../../evals/compile-cache.ts";
import { type Cluster, startCluster } from "../../../evals/sandbox/kube/cluster.ts";
import { kubeconfigFor } from "../../../evals/sandbox/kube/kubeconfig.ts";
import { openChannel } from "../../../mcp-tools/channel/client.ts";
import { kubeClient } from "../../../mcp-tools/connectors/kubernetes/client.ts";
import { readHistory } from "../../../mcp-tools/connectors/kubernetes/history.ts";
import { readKubeconfig } from "../../../mcp-tools/connectors/kubernetes/kubeconfig.ts";
import { WorkloadObject } from "../../../mcp-tools/connectors/kubernetes/objects.ts";
import { isComplete } from "../../../mcp-tools/connectors/kubernetes/rollout-status.ts";
import { approverKey } from "../../../mcp-tools/gate/approver-key.ts";
import { deployment } from "../../evals/sandbox/kube/manifests.ts";
import { fakeExporter } from "../../fakes/fake-exporter.ts";
import { fakePodRuntime } from "../../fakes/fake-pod-runtime.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { ROOT, unship, unshipProcess } from "./run-cli.ts";

const MAIN = join(ROOT, "agent/main.ts");
const HOUR = 3_600_000;
const never = new AbortController().signal;
const MALLORY_TOKEN = "whoever-took-the-agent-over-made-this-up";
const TOKENS = [
  { token: "reader", readOnly: true },
  { token: "writer", readOnly: false },
];

describe("a gate, an agent and a person, each a process of its own", () => {
  const own = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "unship-separate-"));
  const at = (name: string) => join(folder, name);
  const environment = { PATH: process.env.PATH ?? "", ...compileCacheVariable(), CHANNEL: "agent-and-gate-share-this" };
  let cluster: Cluster;
  let door: Door;
  let reader: ReturnType<typeof kubeClient>;
  let planId = "";

  beforeAll(async () => {
    own.defer(() => rmSync(folder, { recursive: true, force: true }));
    const exporter = own.use(await fakeExporter(() => "up 1\n"));
    let past = 3 * HOUR;
    const now = () => Date.now() - past;
    const timings = { probePeriodMs: 20 };
    cluster = own.use(await startCluster({ runtime: fakePodRuntime(), tokens: TOKENS, timings, now }));
    door = own.use(await startDoor(cluster.url));
    for (const [token, url] of [
      ["reader", cluster.url],
      ["writer", door.url],
    ] as const) {
      writeFileSync(at(`${token}.kubeconfig`), kubeconfigFor(url).replace("user: {}", `user: { token: ${token} }`));
    }
    reader = kubeClient(readKubeconfig(at("reader.kubeconfig"), null));
    own.defer(reader.close);
    await deploy("shop/web:1");
    past = 60_000;
    await deploy("shop/web:2");
    past = 0;
    writeFileSync(at("alice"), ALICE_TOKEN, { mode: 0o600 });
    writeFileSync(at("mallory"), MALLORY_TOKEN, { mode: 0o600 });
    const file = (name: string, approver: string, token: string, more: string) =>
      writeFileSync(at(name), configText(exporter.url, approver, token, more));
    file(
      "unship.yaml",
      "alice",
      ALICE_TOKEN,
      `ledger: { path: ${at("gate-ledger.db")} }\ngate: { socket: ${at("gate.sock")}, token: "\${CHANNEL}" }`,
    );
    file("mallory.yaml", "mallory", MALLORY_TOKEN, `ledger: { path: ${at("mallory-ledger.db")} }`);
  });
  afterAll(() => own.disposeAsync());

  const configText = (metrics: string, approver: string, token: string, more: string) => `
mode: approve
data_sources:
  metrics: { type: scrape, targets: [{ url: "${metrics}", labels: { service: web } }] }
  deployments:
    type: kubernetes
    kubeconfig: ${at("reader.kubeconfig")}
    namespaces: [default]
${more.includes("gate:") ? `    write: { kubeconfig: ${at("writer.kubeconfig")} }` : ""}
services: { web: { namespace: default, workload: { kind: Deployment, name: web } } }
execution: { allowed_actions: [{ type: kubectl_rollout_undo, namespaces: [default], require_approval: false }] }
approvers: [{ name: ${approver}, token_key: "${approverKey(token).text}" }]
approval: { token_file: same_user }
knowledge: { path: ${at("knowledge")} }
watch: { step: 1s }
${more}
`;

  async function workload() {
    return readHistory(
      reader,
      "Deployment",
      await reader.get("Deployment", "default", "web", WorkloadObject, never),
      never,
    );
  }

  async function deploy(wanted: string): Promise<void> {
    await cluster.apply(deployment(wanted));
    await until(async () => (await image()) === wanted && isComplete(await workload()));
  }

  const image = async () => {
    const Spec = z.object({ containers: z.array(z.object({ image: z.string() })) });
    return Spec.parse((await workload()).object.spec.template.spec).containers[0]?.image;
  };

  /** Starts `unship gate`, and returns when it answers. */
  async function startGate(): Promise<ChildProcess> {
    const child = spawn(process.execPath, [MAIN, "gate", "-c", at("unship.yaml")], {
      env: environment,
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    });
    own.defer(() => void child.kill("SIGKILL"));
    for await (const line of createInterface({ input: child.stderr })) {
      if (line.includes("The gate answers at")) return child;
    }
    throw new Error("the gate ended before it answered");
  }

  async function asAssistant<T>(
    config: string,
    work: (call: (tool: string, args: Record<string, unknown>) => Promise<unknown>) => Promise<T>,
  ): Promise<T> {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [MAIN, "mcp", "-c", at(config)],
      env: environment,
      cwd: folder,
      stderr: "ignore",
    });
    const tools = await connectTools(transport, "an-assistant");
    try {
      return await work(async (tool, args) => {
        const { structured, text, isError } = await tools.call(tool, args);
        return isError ? text : structured;
      });
    } finally {
      await tools.close();
    }
  }

  type Call = Parameters<Parameters<typeof asAssistant>[1]>[0];
  const Proposed = z.looseObject({ plan_id: z.string(), verdict: z.string() });

  async function propose(call: Call): Promise<string> {
    const changes = z
      .looseObject({ changes: z.array(z.looseObject({ id: z.string(), to: z.string() })) })
      .parse(await call("list_changes", {}));
    const bad = changes.changes.find(({ to }) => to === "2");
    const reason = "customers complain on the telephone since this deploy";
    const answer = await call("propose_plan", { change_ids: [bad?.id ?? ""], reason });
    const { plan_id, verdict } = Proposed.parse(answer);
    expect(verdict, JSON.stringify(answer)).toBe("require_approval");
    return plan_id;
  }

  it("the agent hands a plan to the gate, which holds it; the agent keeps no ledger and writes nothing", async () => {
    await using gate = killed(await startGate());
    await asAssistant("unship.yaml", async (call) => {
      planId = await propose(call);
      expect(await call("submit_plan", { plan_id: planId })).toMatchObject({ outcome: "held" });
    });
    const { code, out } = await unship(["status", "-c", at("unship.yaml")], { variables: environment, cwd: folder });
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("Mode approve") });
    expect(cluster.writes.filter(({ method }) => method === "PATCH")).toEqual([]);
    expect(gate.child.exitCode).toBeNull();
  });

  it("an agent that was taken over, with a file, a ledger and an approver of its own making, gets 403 from the cluster", async () => {
    await asAssistant("mallory.yaml", async (call) => {
      const plan = await propose(call);
      const approved = await unship(["approve", plan, "-c", at("mallory.yaml"), "--token-file", at("mallory")], {
        variables: environment,
        cwd: folder,
      });
      expect(approved).toMatchObject({ code: 0 });
      const answer = await call("submit_plan", { plan_id: plan });
      expect(JSON.stringify(answer)).not.toContain('"executed"');
    });
    const tried = cluster.writes.filter(({ method }) => method === "PATCH");
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.map(({ status }) => status)).toEqual(tried.map(() => 403));
    expect(await image()).toBe("shop/web:2");
  });

  it("one watch works on a gate; it reads with its own credential, and goes on over the gate's death", async () => {
    const events: { readonly event: string; readonly text: string }[] = [];
    const watch = await (async () => {
      await using _first = killed(await startGate());
      const child = spawn(process.execPath, [MAIN, "watch", "-c", at("unship.yaml"), "--json"], {
        env: environment,
        cwd: folder,
        stdio: ["ignore", "pipe", "ignore"],
      });
      own.defer(() => void child.kill("SIGKILL"));
      createInterface({ input: child.stdout }).on("line", (line) => events.push(JSON.parse(line)));
      await until(async () => events.some(({ event }) => event === "watch.started"));
      const second = await unshipProcess(["watch", "-c", at("unship.yaml")], { variables: environment, cwd: folder });
      expect(second).toMatchObject({ code: 3, err: expect.stringContaining("Another watch works on this gate") });
      return child;
    })();
    expect(watch.exitCode).toBeNull();
    await using _next = killed(await startGate());
    const channel = openChannel({ at: { socket: at("gate.sock") }, where: "the gate", token: environment.CHANNEL });
    await until(async () => (await channel.hello()).watched);
    await channel.close();
    expect(watch.exitCode).toBeNull();
    const ended = once(watch, "exit");
    watch.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(cluster.writes.filter(({ method, status }) => method === "PATCH" && status < 400)).toEqual([]);
  });

  it("without a gate nothing is done, and that is said; a gate that comes back knows the plan, acts once a person has approved, and once only though it dies in the act", async () => {
    const silent = await unship(["approve", planId, "-c", at("unship.yaml"), "--token-file", at("alice")], {
      variables: environment,
      cwd: folder,
    });
    expect(silent.code).toBe(3);
    expect(silent.err).toContain("start unship gate");
    const gate = await startGate();
    const forged = await unship(["approve", planId, "-c", at("unship.yaml"), "--token-file", at("mallory")], {
      variables: environment,
      cwd: folder,
    });
    expect(forged.code).toBe(1);
    const approved = await unship(["approve", planId, "-c", at("unship.yaml"), "--token-file", at("alice")], {
      variables: environment,
      cwd: folder,
    });
    expect(approved.out).toContain("Approved by alice");
    // It dies at the worst moment: production is written, and nobody has heard so.
    door.whenWritten(() => gate.kill("SIGKILL"));
    await asAssistant("unship.yaml", async (call) => {
      expect(await call("submit_plan", { plan_id: planId })).toContain("did not answer");
    });
    await using _next = killed(await startGate());
    await asAssistant("unship.yaml", async (call) => {
      const answer = await call("submit_plan", { plan_id: planId });
      expect(answer, JSON.stringify(answer)).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    });
    await until(async () => (await image()) === "shop/web:1");
    const written = cluster.writes.filter(
      ({ method, status, dryRun }) => method === "PATCH" && status < 400 && !dryRun,
    );
    expect(written).toHaveLength(1);
    const audit = await unship(["audit", "verify", "-c", at("unship.yaml")], { variables: environment, cwd: folder });
    expect(audit.code).toBe(0);
    expect(existsSync(at("mallory-ledger.db"))).toBe(true);
  });
});

/** A way to the cluster on which the answer to a write can get lost. */
async function startDoor(to: URL) {
  let written: (() => void) | null = null;
  const server = createServer((incoming, response) => {
    const { method = "GET", url = "/", headers } = incoming;
    const onward = request(new URL(url, to), { method, headers }, (answer) => {
      if (written !== null && method === "PATCH" && !url.includes("dryRun=All")) {
        written();
        written = null;
        answer.resume();
        return;
      }
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    onward.once("error", () => response.destroy());
    incoming.pipe(onward);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    /** Called after the next write, whose answer nobody gets. */
    whenWritten: (does: () => void) => {
      written = does;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
type Door = Awaited<ReturnType<typeof startDoor>>;

/** Ends a gate without a word, as a crash does. */
function killed(child: ChildProcess) {
  return {
    child,
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      if (child.kill("SIGKILL")) await gone;
    },
  };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
}
