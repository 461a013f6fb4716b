import { existsSync } from "node:fs";
import { join } from "node:path";
import { UnshipError } from "../../core/errors.ts";

/** The programs of a control plane as `npm run real-parts` lays them out in one folder. */
export const CONTROL_PLANE_PROGRAMS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubectl",
  "kwok",
] as const;

/** Argo Rollouts' controller, and beside it the folder with the definitions of its kinds. */
export const ROLLOUTS_CONTROLLER = "rollouts-controller";
export const ROLLOUTS_CRDS = "crds/argo-rollouts";

/** Argo CD's three servers, and the folders with the definitions of its kinds and its base configuration. */
export const ARGOCD_PROGRAMS = ["argocd-server", "argocd-repo-server", "argocd-application-controller"] as const;
export const ARGOCD_CRDS = "crds/argocd";
export const ARGOCD_CONFIG = "config/argocd";

export interface RealParts {
  /** The path of a program. Throws "component.missing" where the folder has none of this name. */
  program(name: string): string;
  has(name: string): boolean;
  readonly folder: string;
}

/** A folder that `npm run real-parts` filled. Nothing is looked at before it is asked for. */
export function openParts(folder: string): RealParts {
  const has = (name: string) => existsSync(join(folder, name));
  return {
    folder,
    has,
    program(name) {
      if (has(name)) return join(folder, name);
      throw new UnshipError("component.missing", {
        component: `${join(folder, name)}`,
        package: `it with: npm run real-parts -- ${folder}`,
      });
    },
  };
}

/** Those of the names that the folder lacks. */
export function missingParts(parts: RealParts, names: readonly string[]): readonly string[] {
  return names.filter((name) => !parts.has(name));
}
