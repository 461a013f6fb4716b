import { conditionLines } from "../../core/guardrails/pending-conditions.ts";
import { durationText } from "../../core/model/time.ts";
import type { Durations } from "./durations.ts";
import type { WatchLine } from "./watch-process.ts";

/**
 * What a demo waits for once an event has brought an incident to a stage in which nothing more is printed for a while: a sentence,
 * the first time that an incident is at that stage; null: it waits for nothing, or that was said. Takes the events in their order.
 */
export function createWaits({
  verifyTimeoutMs,
}: Pick<Durations, "verifyTimeoutMs">): (line: WatchLine) => string | null {
  const stages = new Map<string, string>();
  return ({ incident, at }) => {
    if (incident === null || stages.get(incident.id) === incident.stage) return null;
    stages.set(incident.id, incident.stage);
    if (incident.stage === "waiting-policy") {
      const [next] = conditionLines(incident, Date.parse(at));
      return next === undefined ? null : `for a policy of the file: ${next}`;
    }
    if (incident.stage !== "verifying") return null;
    return `until the signals are back within baseline, for ${durationText(verifyTimeoutMs)} at most`;
  };
}
