import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCluster } from "../../../evals/sandbox/kube/cluster.ts";
import { kubeconfigFor } from "../../../evals/sandbox/kube/kubeconfig.ts";
import { commit, fakeApplication, fakeArgocd } from "../../fakes/fake-argocd.ts";
import { fakePodRuntime } from "../../fakes/fake-pod-runtime.ts";
import { unship } from "./run-cli.ts";

const TOKENS = [
  { token: "reader", readOnly: true },
  { token: "writer", readOnly: false },
];

/** A cluster and an Argo CD that ask who calls, and a file that names both, with `reads` as the agent's credential. */
async function openSystem({ reads, gate }: { readonly reads: "reader" | "writer"; readonly gate: boolean }) {
  const own = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "unship-rights-"));
  own.defer(() => rmSync(folder, { recursive: true, force: true }));
  const cluster = own.use(await startCluster({ runtime: fakePodRuntime(), tokens: TOKENS }));
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
  const argocd = own.use(await fakeArgocd([fakeApplication("cart", [commit("a")])]));
  argocd.grant((action) => (action === "sync" && reads === "writer" ? "yes" : "no"));
  const kubeconfig = join(folder, "read.kubeconfig");
  writeFileSync(kubeconfig, kubeconfigFor(cluster.url).replace("user: {}", `user: { token: ${reads} }`));
  const config = join(folder, "unship.yaml");
  writeFileSync(
    config,
    `
data_sources:
  metrics: { type: prometheus, endpoint: "http://127.0.0.1:9" }
  deployments:
    - { type: kubernetes, kubeconfig: ${kubeconfig}, namespaces: [shop], write: { kubeconfig: ${join(folder, "none", "write.kubeconfig")} } }
    - { type: argocd_webhook, endpoint: "${argocd.url}", token: "\${READ}", write: { token: "\${WRITE}" } }
  feature_flags: { type: unleash, endpoint: "http://127.0.0.1:9", token: "\${READ}", write: { token: "\${WRITE}" } }
ledger: { path: ${join(folder, "none", "ledger.db")} }
${gate ? `gate: { socket: ${join(folder, "gate.sock")}, token: "\${CHANNEL}" }` : "mode: auto"}
`,
  );
  const variables = { READ: argocd.token, CHANNEL: "channel", ...(gate ? {} : { WRITE: "w" }) };
  return {
    check: (more: Record<string, string> = {}) =>
      unship(["check", "-c", config], { variables: { ...variables, ...more }, cwd: folder }),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

describe("unship check, of what the agent holds beside a gate of its own", () => {
  it("is content where it can only read, and says what it cannot tell", async () => {
    await using system = await openSystem({ reads: "reader", gate: true });
    const { out, code } = await system.check();
    expect(out).toContain("ok   kubernetes: the agent's credential can only read");
    expect(out).toContain("ok   argocd: the agent's credential can only read");
    expect(out).toContain("ok   unleash: the agent's credential: cannot tell whether it can write");
    expect(out).toContain("ok   this user and environment hold nothing that is the gate's alone");
    expect(out).not.toContain("FAIL");
    // Prometheus and the flag server of this file are down.
    expect(code).toBe(3);
  });

  it("fails where it can write, in words that say what, and what to do", async () => {
    await using system = await openSystem({ reads: "writer", gate: true });
    const { out, code } = await system.check();
    expect(out).toMatch(
      /FAIL kubernetes: the agent's credential may create .* in shop.* and \d+ more\. Only the gate's may: take these rights from it/,
    );
    expect(out).toContain("FAIL argocd: the agent's credential may sync cart. Only the gate's may");
    expect(code).toBe(1);
  });

  it("fails where its environment holds what the gate acts with", async () => {
    await using system = await openSystem({ reads: "reader", gate: true });
    const { out, code } = await system.check({ WRITE: "w" });
    expect(out).toMatch(
      /FAIL this user or environment holds what is the gate's alone: data_sources\.deployments\[1\]\.write\.token \(WRITE is set\), data_sources\.feature_flags\.write\.token \(WRITE is set\)\. Run check as the user that watches/,
    );
    expect(code).toBe(1);
  });

  it("warns in words and fails nothing where one process does both, since it has to write", async () => {
    await using system = await openSystem({ reads: "writer", gate: false });
    const { out } = await system.check();
    expect(out).toContain("CAUTION: One process (no gate)");
    expect(out).toContain("it reads and acts");
    expect(out).not.toContain("FAIL");
  });
});
