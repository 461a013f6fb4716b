import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster } from "../../../../evals/sandbox/kube/cluster.ts";
import { KUBECTL } from "../../../real/kubectl.ts";

export interface KubectlResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Kubectl extends Disposable {
  /** Runs kubectl against the cluster, with a cache of its own. `stdin` is for `-f -`. */
  (args: readonly string[], stdin?: string): Promise<KubectlResult>;
  /** Starts a command that goes on, and ends it once its output satisfies `enough`; returns the output. */
  until(args: readonly string[], enough: (stdout: string) => boolean): Promise<string>;
}

/** Longest time that one command may take, in ms; a test that waits this long has failed. */
const TIMEOUT_MS = 30_000;

/** Real kubectl for one cluster; its kubeconfig and its discovery cache are in a folder that `using` removes. */
export function realKubectl(cluster: Pick<Cluster, "kubeconfig">): Kubectl {
  const folder = mkdtempSync(join(tmpdir(), "kubectl-"));
  const config = join(folder, "config");
  writeFileSync(config, cluster.kubeconfig());
  const start = (args: readonly string[]): ChildProcessWithoutNullStreams =>
    spawn(KUBECTL?.path ?? "kubectl", ["--kubeconfig", config, "--cache-dir", join(folder, "cache"), ...args], {
      timeout: TIMEOUT_MS,
    });

  const run = async (args: readonly string[], stdin = ""): Promise<KubectlResult> => {
    const child = start(args);
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output.stderr += text;
    });
    child.stdin.end(stdin);
    const [code] = (await once(child, "close")) as [number | null];
    return { code, ...output };
  };
  const until = async (args: readonly string[], enough: (stdout: string) => boolean): Promise<string> => {
    const child = start(args);
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (enough(stdout)) child.kill();
    });
    await once(child, "close");
    return stdout;
  };
  return Object.assign(run, { until, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) });
}
