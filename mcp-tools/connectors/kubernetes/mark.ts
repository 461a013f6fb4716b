import { z } from "zod";
import type { Meta, PodTemplate } from "./objects.ts";
import { fingerprint } from "./template.ts";

/** Which plan took this object back: the executor's key for one target of one plan. */
export const PLAN_ANNOTATION = "unship.dev/plan";
/** What that was, so that the mark counts for one revision alone: controllers copy annotations to later revisions. */
export const ROLLBACK_ANNOTATION = "unship.dev/rollback";
/** @see https://kubernetes.io/docs/reference/labels-annotations-taints/#change-cause */
export const CAUSE_ANNOTATION = "kubernetes.io/change-cause";

/** Left on an object by our own rollback, in the same write as the template. */
const Rollback = z.object({
  /** The revision number that the controller gives to what we wrote: one more than the highest that stood. */
  revision: z.string(),
  from: z.string(),
  /** The number that the restored template had until then. */
  to: z.string(),
  /** SHA-256 (hex) over the canonical template that we wrote. */
  template: z.string(),
  at: z.number(),
  /** Of the object that was written to: a copied manifest carries the mark of another one. Marks of old have none. */
  uid: z.string().optional(),
});
const Written = Rollback.extend({
  /** Our rollbacks of this object before this one, newest first: each write would forget the one before. */
  earlier: z.array(Rollback.extend({ key: z.string() })).optional(),
});
export type Mark = Readonly<z.infer<typeof Rollback>> & { readonly key: string };

type Annotated = Pick<Meta, "annotations">;

/** As many as a workload keeps old revisions by default: of what its controller has forgotten, nothing is to be told. */
const EARLIER = 10;

/** The newest mark on an object or one of its history, as it was written; null where there is none that can be read. */
export const markOf = (meta: Annotated): Mark | null => marksOf(meta)[0] ?? null;

/** Every mark on an object or one of its history, newest first. */
function marksOf({ annotations }: Annotated): readonly Mark[] {
  const key = annotations[PLAN_ANNOTATION];
  const text = annotations[ROLLBACK_ANNOTATION];
  if (key === undefined || text === undefined) return [];
  try {
    const parsed = Written.safeParse(JSON.parse(text));
    if (!parsed.success) return [];
    const { earlier = [], ...mark } = parsed.data;
    return [{ ...mark, key }, ...earlier];
  } catch {
    return [];
  }
}

/**
 * What stands of our rollbacks of one object, newest first: on itself, and on those of its history, which its controller
 * made while the mark stood and which keep it when a later rollback, or somebody's write, replaces it on the object. A
 * mark that was written to another object, and came with a copied manifest, is left out.
 */
export function marksAbout(object: Pick<Meta, "annotations" | "uid">, history: readonly Annotated[]): readonly Mark[] {
  const all = [object, ...history].flatMap(marksOf).filter(({ uid }) => uid === undefined || uid === object.uid);
  const distinct = new Map(all.map((mark) => [`${mark.revision} ${mark.key}`, mark]));
  return [...distinct.values()].toSorted((a, b) => b.at - a.at);
}

/** `earlier`: what `marksAbout` tells of the object that is written to. */
export function markAnnotations(
  mark: Mark,
  cause: string,
  earlier: readonly Mark[] = [],
): Readonly<Record<string, string>> {
  const { key, ...rest } = mark;
  const kept = earlier.length === 0 ? {} : { earlier: earlier.slice(0, EARLIER) };
  return {
    [PLAN_ANNOTATION]: key,
    [ROLLBACK_ANNOTATION]: JSON.stringify({ ...rest, ...kept }),
    [CAUSE_ANNOTATION]: cause,
  };
}

/**
 * Whether a revision is what our own rollback made, by a mark that may stand on the object or have been copied to a
 * later revision: it is only where number and template are those that we wrote.
 */
export function isOwn(mark: Mark | null, revision: string, template: PodTemplate): mark is Mark {
  return mark !== null && mark.revision === revision && mark.template === fingerprint(template);
}

const OURS = "unship rolled back ";

/** The change-cause of our own rollback. */
export const causeOfRollback = (took: string, restored: string, key: string): string =>
  `${OURS}${took} to ${restored}, plan ${key}`;

/**
 * What an object, or one of its history, gives as the cause of the revision that it stands for; undefined where it gives
 * none. Whoever deploys next leaves the annotation as it was, so that a cause of ours is told of our own rollback alone:
 * where `isOfOurs` says so of the mark beside it.
 */
export function causeOf(meta: Annotated, isOfOurs: (mark: Mark) => boolean): string | undefined {
  const cause = meta.annotations[CAUSE_ANNOTATION];
  if (cause === undefined || !cause.startsWith(OURS)) return cause;
  const mark = markOf(meta);
  return mark !== null && isOfOurs(mark) ? cause : undefined;
}

/** The cause of our own rollback, where its mark is beside it; any other cause there is of another deploy. */
export const ownCauseOf = (meta: Annotated, isThis: (mark: Mark) => boolean): string | undefined =>
  meta.annotations[CAUSE_ANNOTATION]?.startsWith(OURS) ? causeOf(meta, isThis) : undefined;

/** Which act on a trial was begun on an Argo Rollout, by which plan: its field alone does not tell an act that somebody ended. */
export const ACT_ANNOTATION = "unship.dev/act";
const ActMark = z.object({
  key: z.string(),
  action: z.string(),
  /** Of the object when the act was begun: a later one tells of somebody's change of its spec. */
  generation: z.number(),
  at: z.number(),
});
export type ActMark = Readonly<z.infer<typeof ActMark>>;

/** The last act that was begun on an object; null where none can be read. */
export function actMarkOf({ annotations }: Annotated): ActMark | null {
  try {
    const parsed = ActMark.safeParse(JSON.parse(annotations[ACT_ANNOTATION] ?? "null"));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export const actAnnotation = (mark: ActMark): Readonly<Record<string, string>> => ({
  [ACT_ANNOTATION]: JSON.stringify(mark),
});
