import type { Meta } from "./objects.ts";

/** A controller that keeps an object as Git has it, and so would undo a live change. */
export interface GitOpsOwner {
  /** "Argo CD shop/cart": the controller and, where it says so, the object of its own. */
  readonly controller: string;
  /** The label, annotation, owner or field manager by which it was recognised. */
  readonly evidence: string;
  /** What to do instead of a live undo. */
  readonly instead: string;
}

type Recognise = (meta: Meta) => GitOpsOwner | null;

/**
 * The GitOps controller that manages an object, by the marks that each documents; null where none is seen. Helm alone
 * is none: it acts only when someone runs it. `app.kubernetes.io/instance` is no proof either, since Helm charts set
 * it too (and Argo CD's default tracking since 3.0 is the annotation).
 */
export function gitOpsOwner(meta: Meta): GitOpsOwner | null {
  for (const recognise of [argocd, fluxKustomize, fluxHelm, configSync]) {
    const owner = recognise(meta);
    if (owner !== null) return owner;
  }
  return null;
}

/** @see https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/ */
const argocd: Recognise = ({ annotations, labels, ownerReferences, managedFields }) => {
  const tracking = annotations["argocd.argoproj.io/tracking-id"];
  const instance = labels["argocd.argoproj.io/instance"];
  const owner = ownerReferences.find(
    ({ apiVersion, kind }) => apiVersion.startsWith("argoproj.io/") && kind === "Application",
  );
  const manager = managedFields.find((field) => /^argocd-(controller|application-controller)$/.test(field.manager));
  const evidence =
    (tracking !== undefined && "annotation argocd.argoproj.io/tracking-id") ||
    (instance !== undefined && "label argocd.argoproj.io/instance") ||
    (owner !== undefined && "its owner, an Argo CD Application") ||
    (manager !== undefined && `field manager ${manager.manager}`);
  if (evidence === false) return null;
  const application = tracking?.split(":")[0] ?? instance ?? owner?.name;
  return {
    controller: application === undefined ? "Argo CD" : `Argo CD application ${application}`,
    evidence,
    instead: "use argocd_sync_to_previous for it, or revert the commit in Git",
  };
};

/** A reconciliation that was switched off for this object does not undo anything. */
const fluxDisabled = (meta: Meta, group: string) => meta.annotations[`${group}/reconcile`] === "disabled";

/** @see https://fluxcd.io/flux/components/kustomize/kustomizations/ */
const fluxKustomize: Recognise = (meta) => flux(meta, "kustomize.toolkit.fluxcd.io", "Kustomization");

/** @see https://fluxcd.io/flux/components/helm/helmreleases/ */
const fluxHelm: Recognise = (meta) => flux(meta, "helm.toolkit.fluxcd.io", "HelmRelease");

function flux(meta: Meta, group: string, kind: string): GitOpsOwner | null {
  const name = meta.labels[`${group}/name`];
  if (name === undefined || fluxDisabled(meta, group)) return null;
  return {
    controller: `Flux ${kind} ${meta.labels[`${group}/namespace`] ?? ""}/${name}`,
    evidence: `label ${group}/name`,
    instead: `revert the commit in Git, or suspend the ${kind} first`,
  };
}

/** @see https://cloud.google.com/kubernetes-engine/config-sync/docs/how-to/managing-objects */
const configSync: Recognise = ({ annotations }) =>
  annotations["configmanagement.gke.io/managed"] === "enabled"
    ? {
        controller: "Config Sync",
        evidence: "annotation configmanagement.gke.io/managed",
        instead: "revert the commit in Git",
      }
    : null;
