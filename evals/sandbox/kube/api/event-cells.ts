import { type Json, objectAt } from "../json.ts";
import type { KubeObject } from "../objects.ts";
import { humanDuration } from "./human-duration.ts";

/** The cells of `kubectl get events`. */
export function eventCells(object: KubeObject, nowMs: number): readonly Json[] {
  const { kind, name, fieldPath } = objectAt(object.involvedObject);
  const { component, host } = objectAt(object.source);
  const since = (time: Json | undefined) =>
    typeof time === "string" ? humanDuration(nowMs - Date.parse(time)) : "<unknown>";
  const count = typeof object.count === "number" ? object.count : 1;
  const first = since(object.firstTimestamp);
  const last = since(object.lastTimestamp);
  return [
    count > 1 ? `${last} (x${count} over ${first})` : last,
    object.type ?? "",
    object.reason ?? "",
    `${String(kind).toLowerCase()}/${String(name)}`,
    fieldPath ?? "",
    [component, host].filter((part) => typeof part === "string").join(", "),
    typeof object.message === "string" ? object.message.trim() : "",
    first,
    count,
    object.metadata.name,
  ];
}
