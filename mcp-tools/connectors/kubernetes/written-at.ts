import type { TargetResult } from "../../../core/model/plan.ts";
import { FIELD_MANAGER } from "./client.ts";
import type { Meta } from "./objects.ts";
import { templateWrites } from "./timeline.ts";

/** The API keeps whole seconds of a write. */
const SECOND_MS = 1000;

/**
 * Between which moments (Unix ms, by the API server's clock) the write of ours happened that stands in an object's pod template,
 * as its managedFields tell; null where they do not, or where somebody has written the template since.
 *
 * @see https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
 */
export function writtenAt({
  managedFields,
}: Pick<Meta, "managedFields">): NonNullable<TargetResult["carriedOut"]> | null {
  const newest = templateWrites(managedFields).at(-1);
  if (newest?.manager !== FIELD_MANAGER || newest.time === undefined) return null;
  return { from: newest.time, to: newest.time + SECOND_MS - 1 };
}
