import type { Target } from "../../../core/model/plan.ts";
import { waitsForBrokenPods } from "./broken-pods.ts";
import { namedEntry } from "./change-id.ts";
import { gitOpsOwner } from "./gitops.ts";
import { type HistoryEntry, isRollout, type Workload } from "./history.ts";
import { causeOf, isOwn } from "./mark.ts";
import { PodTemplate } from "./objects.ts";
import { returnsOf } from "./returns.ts";
import { configsOf, sameTemplate, versionOf } from "./template.ts";

/** Whether a target may be taken back as it stands, and to which entry of its history; otherwise the answer and why. */
export type Judgement =
  | { readonly kind: "go"; readonly entry: HistoryEntry }
  | { readonly kind: "answer"; readonly result: "refused" | "stale" | "nothing-to-do"; readonly detail: string };

/** Pure: the same workload and target give the same judgement. Asked before each write, so after each conflict too. */
export function judge(workload: Workload, target: Target): Judgement {
  const [obstacle] = obstaclesTo(workload);
  if (obstacle !== undefined) return { kind: "answer", result: "refused", detail: obstacle };
  const { current, history, object } = workload;
  const { expected, restore } = target;
  const entry =
    history.find(({ revision }) => revision === restore.revision) ??
    history.find(({ formerly }) => formerly.includes(restore.revision));
  const same = (one: HistoryEntry) =>
    isRollout(object) ? one === current : sameTemplate(one.template, object.spec.template);
  if (entry !== undefined && entry.version === restore.version && same(entry))
    return { kind: "answer", result: "nothing-to-do", detail: `its template is that of ${named(entry)} already` };
  const stands = standing(workload);
  if (!settled(workload) || current?.revision !== expected.revision || current.version !== expected.version)
    return {
      kind: "answer",
      result: "stale",
      detail: `${stands}; the plan expects revision ${expected.revision} (${expected.version})`,
    };
  const planned = namedEntry(target);
  if (planned !== null && planned !== current.meta.name)
    return {
      kind: "answer",
      result: "stale",
      detail: `${stands}, of ${current.meta.name}; the plan is about ${planned}: it was made anew since`,
    };
  if (entry === undefined || entry.revision !== restore.revision)
    return { kind: "answer", result: "refused", detail: missing(workload, restore.revision) };
  if (entry.version !== restore.version)
    return {
      kind: "answer",
      result: "stale",
      detail: `revision ${entry.revision} is ${entry.version}; the plan would restore ${restore.version}`,
    };
  return { kind: "go", entry };
}

/** Why nobody should undo this object now, whatever the target. */
export function obstaclesTo({ kind, object }: Workload): readonly string[] {
  const obstacles: string[] = [];
  const { metadata, spec } = object;
  if (metadata.deletionTimestamp !== undefined) obstacles.push("it is being deleted");
  const owner = gitOpsOwner(metadata);
  if (owner !== null)
    obstacles.push(`${owner.controller} manages it (${owner.evidence}) and would undo a live change: ${owner.instead}`);
  if (kind === "Deployment" && spec.paused)
    obstacles.push(
      `its rollout is paused: kubectl rollout resume deployment/${metadata.name} -n ${metadata.namespace} first`,
    );
  if (kind === "Rollout" && spec.paused)
    obstacles.push(
      `it is paused: kubectl argo rollouts promote ${metadata.name} -n ${metadata.namespace} lets it go on, abort rolls it back`,
    );
  if (isRollout(object) && object.spec.workloadRef != null) {
    const { kind: of, name } = object.spec.workloadRef;
    obstacles.push(`its template is in ${of} ${name}: that is what has to be rolled back`);
  }
  return obstacles;
}

/**
 * What a person should know of the undo: what stays undone, what holds it up, what would bring the bad version back.
 * `when` "after": it was done by a call that is over, which does nothing more.
 */
export function warningsFor(
  workload: Workload,
  entry: HistoryEntry | null,
  when: "before" | "after" = "before",
): readonly string[] {
  const { kind, object, current } = workload;
  const { spec, metadata } = object;
  const warnings: string[] = [];
  warnings.push(...returnsOf(metadata, appliedTemplate(metadata.annotations), entry));
  const configs = new Set([...configsOf(entry?.template ?? {}), ...configsOf(current?.template ?? {})]);
  const contents = configs.size === 0 ? "" : `, nor the contents of ${[...configs].join(", ")}`;
  warnings.push(`Only the pod template is restored, not replicas or an autoscaler's settings${contents}.`);
  if (waitsForBrokenPods(workload))
    warnings.push(
      `OrderedReady: it waits for broken pods, also when its template is a good one again${when === "after" ? "." : "; those of the version rolled back are deleted after the undo."}`,
    );
  if (isRollout(object) && object.spec.rollbackWindow == null)
    warnings.push(
      "It goes through each step and analysis of its strategy again, unless it returns to the stable version: it may take as long as a deploy.",
    );
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (kind === "StatefulSet" && partition > 0)
    warnings.push(`Its update strategy holds pods below ordinal ${partition} at the old revision (partition).`);
  if (kind !== "Deployment" && spec.updateStrategy?.type === "OnDelete")
    warnings.push("Its update strategy is OnDelete: pods are replaced only as they are deleted.");
  return warnings;
}

/** "it is at revision 4 (1.5.0)", with who brought it there where the object tells. */
export function standing({ object, current }: Workload): string {
  const cause = causeOf(object.metadata, (mark) =>
    isOwn(mark, current?.revision ?? mark.revision, object.spec.template),
  );
  const by = cause === undefined ? "" : `, "${cause.slice(0, 120)}"`;
  if (current === null)
    return `its template was just changed to ${versionOf(object.spec.template)} and has no revision yet${by}`;
  return `it is at ${named(current)}${by}`;
}

/** The controller has numbered the template that stands: it is the newest of the history. */
export function settled({ current, history }: Workload): boolean {
  return current !== null && current === history.at(-1);
}

function named({ revision, version }: HistoryEntry): string {
  return `revision ${revision} (${version})`;
}

function missing({ object, history }: Workload, revision: string): string {
  const limit = object.spec.revisionHistoryLimit;
  const kept = limit === undefined ? "" : `; revisionHistoryLimit keeps ${limit} old ones`;
  return `revision ${revision} is gone; there are: ${history.map((one) => one.revision).join(", ") || "none"}${kept}`;
}

/** The pod template of the manifest that `kubectl apply` was given last; null where none was, or none can be read. */
function appliedTemplate(annotations: Readonly<Record<string, string>>): PodTemplate | null {
  const text = annotations["kubectl.kubernetes.io/last-applied-configuration"];
  if (text === undefined) return null;
  try {
    const template: unknown = JSON.parse(text)?.spec?.template;
    const parsed = PodTemplate.safeParse(template);
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
