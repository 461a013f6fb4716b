import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from "../../../evals/real-kubernetes/control-plane.ts";
import {
  ARGOCD_CONFIG,
  ARGOCD_CRDS,
  ARGOCD_PROGRAMS,
  CONTROL_PLANE_PROGRAMS,
  ROLLOUTS_CONTROLLER,
  ROLLOUTS_CRDS,
} from "../../../evals/real-kubernetes/parts.ts";
import { requireReal } from "../../real-component.ts";
import { hasRealParts, realParts } from "../real-parts.ts";

/** Whether a real control plane can be started here; where not, says so by name and the caller skips. */
export function hasControlPlane(what: string): boolean {
  return hasRealParts(what, CONTROL_PLANE_PROGRAMS);
}

/** The same with Argo Rollouts. Its kinds come through Go, which a machine with compiled parts need not have. */
export function hasRollouts(what: string): boolean {
  if (!hasRealParts(what, [...CONTROL_PLANE_PROGRAMS, ROLLOUTS_CONTROLLER])) return false;
  if (realParts()?.has(ROLLOUTS_CRDS) === true) return true;
  console.warn(`not run: ${what} (Go is needed to obtain its kinds: npm run real-parts -- DIR)`);
  return false;
}

/** Whether Argo CD can be started beside it. Its kinds and configuration come through Go too, and Redis from Debian. */
export function hasArgoCd(what: string): boolean {
  if (!hasRealParts(what, [...CONTROL_PLANE_PROGRAMS, ...ARGOCD_PROGRAMS])) return false;
  const parts = realParts();
  const lacks = [ARGOCD_CRDS, ARGOCD_CONFIG].filter((one) => parts?.has(one) !== true);
  if (lacks.length === 0) return requireReal("redis-server", "redis-server") && requireReal("git", "git");
  console.warn(`not run: ${what} (Go is needed to obtain ${lacks.join(" and ")}: npm run real-parts -- DIR)`);
  return false;
}

/** A control plane of the real parts in a folder of its own, which goes with it. */
export async function startTestPlane(
  options: Omit<ControlPlaneOptions, "parts" | "directory"> = {},
): Promise<ControlPlane> {
  const parts = realParts();
  if (parts === null) throw new Error("UNSHIP_REAL_PARTS names no folder");
  const directory = mkdtempSync(join(tmpdir(), "unship-plane-"));
  const remove = () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  const plane = await startControlPlane({ parts, directory, ...options }).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    ...plane,
    async [Symbol.asyncDispose]() {
      await plane[Symbol.asyncDispose]();
      remove();
    },
  };
}
