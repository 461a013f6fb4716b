import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../../../evals/sandbox/kube/cluster.ts";

export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Kubectl extends Disposable {
  /** Runs Debian's kubectl against the cluster, with a cache of its own. `stdin` is for `-f -`. */
  (args: readonly string[], stdin?: string): Promise<KubectlResult>;
}

/** Real kubectl for one cluster; its kubeconfig and its discovery cache are in a folder that `using` removes. */
export function realKubectl(cluster: Pick<Cluster, "kubeconfig">): Kubectl {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-"));
  const config = join(folder, "config");
  writeFileSync(config, cluster.kubeconfig());
  const run = async (args: readonly string[], stdin = ""): Promise<KubectlResult> => {
    const child = spawn("kubectl", ["--kubeconfig", config, "--cache-dir", join(folder, "cache"), ...args], {
      timeout: 30_000,
    });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdin.end(stdin);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...output };
  };
  return Object.assign(run, { [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) });
}
