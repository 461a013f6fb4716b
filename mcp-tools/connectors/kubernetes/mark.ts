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
const Mark = z.object({
  /** The revision number that the controller gives to what we wrote: one more than the highest that stood. */
  revision: z.string(),
  from: z.string(),
  to: z.string(),
  /** SHA-256 (hex) over the canonical template that we wrote. */
  template: z.string(),
  at: z.number(),
});
export type Mark = Readonly<z.infer<typeof Mark>> & { readonly key: string };

/** The mark on an object or one of its history, as it was written; null where there is none that can be read. */
export function markOf(meta: Pick<Meta, "annotations">): Mark | null {
  const key = meta.annotations[PLAN_ANNOTATION];
  const text = meta.annotations[ROLLBACK_ANNOTATION];
  if (key === undefined || text === undefined) return null;
  try {
    const parsed = Mark.safeParse(JSON.parse(text));
    return parsed.success ? { ...parsed.data, key } : null;
  } catch {
    return null;
  }
}

export function markAnnotations(mark: Mark, cause: string): Readonly<Record<string, string>> {
  const { key, ...rest } = mark;
  return { [PLAN_ANNOTATION]: key, [ROLLBACK_ANNOTATION]: JSON.stringify(rest), [CAUSE_ANNOTATION]: cause };
}

/**
 * Whether a revision is what our own rollback made, by a mark that may stand on the object or have been copied to a
 * later revision: it is only where number and template are those that we wrote.
 */
export function isOwn(mark: Mark | null, revision: string, template: PodTemplate): mark is Mark {
  return mark !== null && mark.revision === revision && mark.template === fingerprint(template);
}
