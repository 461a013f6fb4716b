import type { WorkloadRef } from "../../../core/model/change.ts";
import type { Target } from "../../../core/model/plan.ts";

/** The id of a deploy: by the ReplicaSet or ControllerRevision that holds its template, whose name is made from a hash of it. */
export const deployId = ({ namespace, name }: Omit<WorkloadRef, "kind">, entry: string, revision: string): string =>
  `deploy:${namespace}/${name}:${entry}:${revision}`;

/**
 * The ReplicaSet or ControllerRevision of the version that a target takes back, as far as its change says so: an object that
 * was deleted and made anew may have the same revision and tag, and another template. Null: the id is another source's, or
 * of another revision.
 */
export function namedEntry({ changeId, object, expected }: Target): string | null {
  const [before = "", after = ""] = deployId(object, SEPARATOR, expected.revision).split(SEPARATOR);
  if (!changeId.startsWith(before) || !changeId.endsWith(after)) return null;
  const entry = changeId.slice(before.length, changeId.length - after.length);
  return entry === "" || entry.includes(":") ? null : entry;
}

const SEPARATOR = "\u0000";
