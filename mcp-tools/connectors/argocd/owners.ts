import { UnshipError } from "../../../core/errors.ts";
import { type Application, autoSync, type IgnoreRule } from "./application.ts";
import type { ArgocdClient } from "./client.ts";
import { parentsOf } from "./parents.ts";

/** Something that writes an Application's own spec, and so may switch its auto-sync on again. */
export interface Owner {
  /** "ApplicationSet shops", "application root". */
  readonly name: string;
  /**
   * When it would undo a change of the sync policy. `unknown`: it could not be read, so it may do so at once. `may at once`:
   * another controller, which nobody here can ask, keeps the application as its own source has it.
   */
  readonly putsBack: "at once" | "may at once" | "with its next sync" | "never" | "unknown";
}

/**
 * The ApplicationSet, the parent application (app of apps) and the other controllers that an Application belongs to. A
 * parent is found by what it says it manages, and by Argo CD's own mark on the child, which tells of one that the token may not see.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/operator-manual/applicationset/Controlling-Resource-Modification/
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
 */
export async function ownersOf(
  client: ArgocdClient,
  application: Application,
  abort: AbortSignal,
): Promise<readonly Owner[]> {
  const sets = application.metadata.ownerReferences.filter(
    ({ apiVersion, kind }) => kind === "ApplicationSet" && apiVersion.startsWith("argoproj.io/"),
  );
  const generated = sets.map(({ name }) => setOf(client, name, application, abort));
  return [
    ...(await Promise.all(generated)),
    ...managersOf(application),
    ...(await ownersAmong(client, application, abort)),
  ];
}

type Metadata = Application["metadata"];

/**
 * Controllers outside of Argo CD, by the mark that each documents. Whoever switched one off for this object switches it on
 * again some day.
 *
 * @see https://fluxcd.io/flux/components/kustomize/kustomizations/ (and helm/helmreleases/)
 * @see https://cloud.google.com/kubernetes-engine/enterprise/config-sync/docs/how-to/managing-objects
 * @see https://carvel.dev/kapp/docs/latest/apply/, https://fleet.rancher.io/ref-resource-tracking
 */
const MARKS: readonly ((metadata: Metadata) => Owner | null)[] = [
  (metadata) => flux(metadata, "kustomize.toolkit.fluxcd.io", "Kustomization"),
  (metadata) => flux(metadata, "helm.toolkit.fluxcd.io", "HelmRelease"),
  ({ annotations }) =>
    annotations["configmanagement.gke.io/managed"] === "enabled"
      ? { name: "Config Sync", putsBack: "may at once" }
      : null,
  ({ labels }) => byLabel(labels["kapp.k14s.io/app"], "kapp-controller"),
  ({ annotations }) => byLabel(annotations["objectset.rio.cattle.io/id"], "Rancher Fleet"),
];

const byLabel = (mark: string | undefined, name: string): Owner | null =>
  mark === undefined ? null : { name, putsBack: "may at once" };

function flux({ labels, annotations }: Metadata, group: string, kind: string): Owner | null {
  const name = labels[`${group}/name`];
  if (name === undefined) return null;
  const isOff = annotations[`${group}/reconcile`] === "disabled";
  return { name: `Flux ${kind} ${name}`, putsBack: isOff ? "with its next sync" : "may at once" };
}

/** What marks the application as its own, and any custom resource that owns it: its operator keeps what it made. */
function managersOf({ metadata }: Application): readonly Owner[] {
  const marked = MARKS.flatMap((managerOf) => managerOf(metadata) ?? []);
  const owning = metadata.ownerReferences
    .filter(({ apiVersion }) => !apiVersion.startsWith("argoproj.io/"))
    .map(({ kind, name }): Owner => ({ name: `${kind} ${name}, which owns it,`, putsBack: "may at once" }));
  return [...marked, ...owning];
}

async function setOf(client: ArgocdClient, name: string, application: Application, abort: AbortSignal): Promise<Owner> {
  const owner = `ApplicationSet ${name}`;
  const set = await client.applicationSet(name, application.metadata.namespace, abort).catch(unread);
  if (set === null) return { name: owner, putsBack: "unknown" };
  const { syncPolicy, ignoreApplicationDifferences } = set.spec;
  const updates = !["create-only", "create-delete"].includes(syncPolicy?.applicationsSync ?? "sync");
  const kept = ignoreApplicationDifferences.some((rule) => covers(rule, application));
  return { name: owner, putsBack: updates && !kept ? "at once" : "never" };
}

async function ownersAmong(client: ArgocdClient, child: Application, abort: AbortSignal): Promise<readonly Owner[]> {
  const { annotations, labels } = child.metadata;
  const found = parentsOf(child, await client.applications(abort));
  const marked = annotations["argocd.argoproj.io/tracking-id"]?.split(":")[0] ?? labels["argocd.argoproj.io/instance"];
  const unseen = marked === undefined || found.some(({ metadata }) => sameName(marked, metadata)) ? [] : [marked];
  return [
    ...found.map((parent): Owner => ({ name: `application ${parent.metadata.name}`, putsBack: whenOf(parent, child) })),
    ...unseen.map((parent): Owner => ({ name: `application ${parent}`, putsBack: "unknown" })),
  ];
}

/** Argo CD writes "namespace_name" where the parent stands outside its own namespace. */
const sameName = (marked: string, { name, namespace }: Application["metadata"]): boolean =>
  marked === name || marked === `${namespace}_${name}`;

function whenOf(parent: Application, child: Application): Owner["putsBack"] {
  const rules = parent.spec.ignoreDifferences.filter(
    ({ group, kind }) => ["argoproj.io", "*"].includes(group ?? "") && ["Application", "*"].includes(kind ?? ""),
  );
  const ignored = rules.some((rule) => covers(rule, child));
  const respected = parent.spec.syncPolicy?.syncOptions.includes("RespectIgnoreDifferences=true") ?? false;
  if (ignored && respected) return "never";
  const heals = autoSync(parent) === "on" && parent.spec.syncPolicy?.automated?.selfHeal === true;
  return heals && !ignored ? "at once" : "with its next sync";
}

const FIELD = ["spec", "syncPolicy", "automated", "enabled"];
/** Every way to name `spec.syncPolicy.automated.enabled` or what holds it, but for the whole spec. */
const POINTERS = new Set([2, 3, 4].map((depth) => `/${FIELD.slice(0, depth).join("/")}`));
const JQ_PATHS = new Set([2, 3, 4].map((depth) => `.${FIELD.slice(0, depth).join(".")}`));

function covers({ name, jsonPointers, jqPathExpressions }: IgnoreRule, { metadata }: Application): boolean {
  if (name && name !== metadata.name) return false;
  return jsonPointers.some((one) => POINTERS.has(one)) || jqPathExpressions.some((one) => JQ_PATHS.has(one.trim()));
}

function unread(error: unknown): null {
  if (error instanceof UnshipError && error.code !== "source.unavailable") return null;
  throw error;
}
