import { z } from "zod";
import type { Application } from "./application.ts";

/** Left on an Application by our own rollback, in the write that switches its auto-sync off. */
export const ROLLBACK_ANNOTATION = "unship.dev/rollback";

const Mark = z.object({
  /** The executor's key for one target of one plan. */
  plan: z.string(),
  /** Ids in the history: what stood, and what it went back to. */
  from: z.number(),
  to: z.number(),
  /** The version that was taken back, as `versionOf` names it. */
  took: z.string(),
  at: z.number(),
  /**
   * What `automated.enabled` was before unship set it to false ("unset" is on too), to be put back on request;
   * null: unship did not touch it.
   */
  autoSyncWas: z.union([z.literal(true), z.literal("unset")]).nullable(),
  /** That an earlier rollback switched it off, and this one found it so: not this one's to put back. */
  inherited: z.boolean().default(false),
});
export type Mark = Readonly<z.infer<typeof Mark>>;

/** In `to` of a mark whose rollback was not started after all: no entry has this id. */
export const NOT_STARTED = -1;

/** The mark of our newest rollback; null where there is none that can be read. */
export function markOf({ metadata }: Application): Mark | null {
  const text = metadata.annotations[ROLLBACK_ANNOTATION];
  if (text === undefined) return null;
  try {
    return Mark.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
