import type { DetectionEngine } from "../detection/engine.ts";
import { seasonAt } from "../detection/season.ts";
import type { UsualTraffic } from "../model/assessment.ts";

/** What each service is usually asked at this time of day, sorted by name; those of which too few days are known are left out. */
export function usualTrafficAt(engine: Pick<DetectionEngine, "signals">, at: number): readonly UsualTraffic[] {
  const found: UsualTraffic[] = [];
  for (const { service, metric, labels, history } of engine.signals()) {
    if (metric !== "request_rate" || history === null || Object.keys(labels).length > 0) continue;
    const season = seasonAt(history, at);
    if (season !== null) found.push({ service, center: season.center, scale: season.scale, days: season.days });
  }
  return found.sort((a, b) => (a.service < b.service ? -1 : 1));
}
