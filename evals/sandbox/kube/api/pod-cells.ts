import type { Json } from "../json.ts";
import type { Pod } from "../objects.ts";
import { humanDuration } from "./human-duration.ts";

/** The cells of `kubectl get pods`; the status is the phase, or why a container does not run. */
export function podCells(pod: Pod, nowMs: number): readonly Json[] {
  const { metadata, spec, status } = pod;
  const statuses = status?.containerStatuses ?? [];
  const ready = statuses.filter((one) => one.ready && one.state.running !== undefined).length;
  const since = metadata.creationTimestamp;
  return [
    metadata.name,
    `${ready}/${spec.containers.length}`,
    statusText(pod),
    restartsText(pod, nowMs),
    since === undefined ? "<unknown>" : humanDuration(nowMs - Date.parse(since)),
    status?.podIP ?? "<none>",
    spec.nodeName ?? "<none>",
    "<none>",
    "<none>",
  ];
}

function statusText({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp !== undefined) return "Terminating";
  const reasons = (status?.containerStatuses ?? []).flatMap(({ state }) => {
    const reason = state.waiting?.reason ?? state.terminated?.reason;
    return reason === undefined ? [] : [reason];
  });
  return reasons[0] ?? status?.phase ?? "Unknown";
}

function restartsText({ status }: Pod, nowMs: number): string {
  const statuses = status?.containerStatuses ?? [];
  const count = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const ends = statuses.flatMap(({ lastState }) =>
    lastState.terminated === undefined ? [] : [Date.parse(lastState.terminated.finishedAt)],
  );
  if (count === 0 || ends.length === 0) return String(count);
  return `${count} (${humanDuration(nowMs - Math.max(...ends))} ago)`;
}
