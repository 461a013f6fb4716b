import { join } from "node:path";
import type { KubeApi } from "./api.ts";
import { freePorts } from "./free-ports.ts";
import { makeKinds } from "./kinds.ts";
import { type RealParts, ROLLOUTS_CONTROLLER, ROLLOUTS_CRDS } from "./parts.ts";
import { type Program, startProgram } from "./program.ts";

/** Makes the kinds of Argo Rollouts and starts its controller. */
export async function startRolloutsController(
  { admin, kubeconfigPath }: { readonly admin: KubeApi; readonly kubeconfigPath: string },
  { parts, directory }: { readonly parts: RealParts; readonly directory: string },
): Promise<Program> {
  await makeKinds(admin, parts.program(ROLLOUTS_CRDS));
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
