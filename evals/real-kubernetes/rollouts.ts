import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { KubeApi } from "./api.ts";
import { freePorts } from "./free-ports.ts";
import { type RealParts, ROLLOUTS_CONTROLLER, ROLLOUTS_CRDS } from "./parts.ts";
import { type Program, startProgram } from "./program.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const POLL_MS = 50;
const PATIENCE_MS = 30_000;

/** Makes the kinds of Argo Rollouts and starts its controller. */
export async function startRolloutsController(
  { admin, kubeconfigPath }: { readonly admin: KubeApi; readonly kubeconfigPath: string },
  { parts, directory }: { readonly parts: RealParts; readonly directory: string },
): Promise<Program> {
  const folder = parts.program(ROLLOUTS_CRDS);
  for (const file of readdirSync(folder))
    await admin.must("POST", CRDS, { body: parse(readFileSync(join(folder, file), "utf8")) });
  const served = async () => (await admin.call("GET", "/apis/argoproj.io/v1alpha1/rollouts")).status === 200;
  for (let rest = PATIENCE_MS; rest > 0 && !(await served()); rest -= POLL_MS)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  const [metrics, health] = await freePorts(2);
  return startProgram({
    name: "rollouts-controller",
    path: parts.program(ROLLOUTS_CONTROLLER),
    args: [
      `--kubeconfig=${kubeconfigPath}`,
      "--leader-elect=false",
      `--metricsPort=${metrics}`,
      `--healthzPort=${health}`,
    ],
    logFile: join(directory, "rollouts-controller.log"),
    ready: async () => (await fetch(`http://127.0.0.1:${health}/healthz`)).ok,
  });
}
