import type { Meta } from "./objects.ts";

/** A controller that keeps an object as Git, or an object of its own, has it, and so would undo a live change. */
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
 * The controller that manages an object, by the marks that each documents, or as its owner; null where none is seen. Helm
 * alone is none: it acts only when someone runs it. `app.kubernetes.io/instance` is no proof either, since Helm charts set
 * it too (and Argo CD's default tracking since 3.0 is the annotation).
 */
export function gitOpsOwner(meta: Meta): GitOpsOwner | null {
  for (const recognise of [argocd, fluxKustomize, fluxHelm, configSync, manifestWork, rancher, kapp, operator]) {
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

/** The Flux object that would manage this one, were its reconciliation not switched off for it; null where there is none. */
export function fluxLeftAlone(meta: Meta): string | null {
  const [group, kind] = FLUX.find(([one]) => meta.labels[`${one}/name`] !== undefined && fluxDisabled(meta, one)) ?? [];
  return group === undefined || kind === undefined ? null : fluxObject(meta, group, kind);
}

const fluxObject = ({ labels }: Meta, group: string, kind: string): string =>
  `Flux ${kind} ${labels[`${group}/namespace`] ?? ""}/${labels[`${group}/name`]}`;

const FLUX = [
  ["kustomize.toolkit.fluxcd.io", "Kustomization"],
  ["helm.toolkit.fluxcd.io", "HelmRelease"],
] as const;

/** A reconciliation that was switched off for this object undoes nothing while it is. */
const fluxDisabled = (meta: Meta, group: string) => meta.annotations[`${group}/reconcile`] === "disabled";

/** @see https://fluxcd.io/flux/components/kustomize/kustomizations/ */
const fluxKustomize: Recognise = (meta) => flux(meta, ...FLUX[0]);

/** @see https://fluxcd.io/flux/components/helm/helmreleases/ */
const fluxHelm: Recognise = (meta) => flux(meta, ...FLUX[1]);

function flux(meta: Meta, group: string, kind: string): GitOpsOwner | null {
  const name = meta.labels[`${group}/name`];
  if (name === undefined || fluxDisabled(meta, group)) return null;
  return {
    controller: fluxObject(meta, group, kind),
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

/** @see https://open-cluster-management.io/docs/concepts/work-distribution/manifestwork/ */
const manifestWork: Recognise = ({ ownerReferences }) => {
  const owner = ownerReferences.find(({ apiVersion }) => apiVersion.startsWith("work.open-cluster-management.io/"));
  return owner === undefined
    ? null
    : {
        controller: `Open Cluster Management's work agent (${owner.kind} ${owner.name})`,
        evidence: "its owner",
        instead: "change the ManifestWork on the hub",
      };
};

/** What Rancher's controllers apply: Fleet's bundles, K3s' addons. @see https://fleet.rancher.io/ */
const rancher: Recognise = ({ annotations, labels }) => {
  const id = annotations["objectset.rio.cattle.io/id"];
  return id === undefined && labels["objectset.rio.cattle.io/hash"] === undefined
    ? null
    : {
        controller: id === undefined || id === "" ? "Rancher" : `Rancher (Fleet bundle or addon ${id})`,
        evidence: `${id === undefined ? "label objectset.rio.cattle.io/hash" : "annotation objectset.rio.cattle.io/id"}`,
        instead: "revert the commit or the manifest that it applies",
      };
};

/** kapp-controller and a person's kapp leave the same marks. @see https://carvel.dev/kapp/docs/latest/apps/ */
const kapp: Recognise = ({ labels }) =>
  labels["kapp.k14s.io/app"] === undefined
    ? null
    : {
        controller: "kapp (by kapp-controller, or as people run it)",
        evidence: "label kapp.k14s.io/app",
        instead: "revert what the app is deployed from",
      };

/**
 * Whoever is named as the controller of a workload keeps it as an object of its own says: an operator's custom resource.
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 */
const operator: Recognise = ({ ownerReferences }) => {
  const owner = ownerReferences.find(({ controller }) => controller);
  return owner === undefined
    ? null
    : {
        controller: `The controller of ${owner.kind} ${owner.name}`,
        evidence: "ownerReferences",
        instead: `change ${owner.kind} ${owner.name}`,
      };
};
