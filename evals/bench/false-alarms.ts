import type { Config } from "../../core/config/config.ts";
import { createDetectionEngine } from "../../core/detection/engine.ts";
import type { Change } from "../../core/model/change.ts";
import type { Series } from "../../core/model/signal.ts";
import { byVersion, drawService, NULL_KINDS, type NullKind, nullTraffic } from "./null-traffic.ts";
import { createRandom } from "./random.ts";

/** A change is looked at after every sample for an hour: 240 looks. */
export const LOOKS = 240;
const START = Date.parse("2026-03-02T00:00:00Z");

export interface NullOutcome {
  readonly kind: NullKind;
  /** Requests a second. */
  readonly rate: number;
  /** The metrics on which an alarm was raised at some look after the change; none where all was well. */
  readonly alarms: readonly string[];
  /** Whether an alarm was on already when the change came: it cannot be held against the change. */
  readonly before: boolean;
}

/** One change that does nothing, watched by the engine as `watch` runs it. Trial and seed decide everything. */
export function nullChange(config: Config, seed: number, trial: number): NullOutcome {
  const random = createRandom((seed * 0x9e3779b1 + trial * 0x85ebca6b) >>> 0);
  const kind = NULL_KINDS[trial % NULL_KINDS.length] ?? "independent";
  const service = drawService(random, kind);
  const { history, stepMs } = service;
  const whole = nullTraffic(random, service, history + LOOKS, START + stepMs);
  const apart = createRandom((seed * 0xc2b2ae35 + trial * 0x27d4eb2f) >>> 0); // the draws of the service stay as they were
  const versions = byVersion(apart, service, whole, history);
  const engine = createDetectionEngine(config);
  const changedAt = START + history * stepMs;
  engine.ingest(
    whole.map((one) => part(one, 0, history)),
    "statistics",
  );
  engine.evaluate(changedAt);
  engine.changes([deployAt(changedAt)]);
  const alarms = new Set<string>();
  let before = false;
  for (let i = history; i < history + LOOKS; i++) {
    engine.ingest(
      [...whole.map((one) => part(one, i, i + 1)), ...versions.map((one) => part(one, i - history, i - history + 1))],
      "statistics",
    );
    for (const { verdict, metric, detector, detectedAt, labels } of engine.evaluate(START + (i + 1) * stepMs)
      .findings) {
      if (verdict !== "worse" || Object.keys(labels).length > 0) continue;
      if (detectedAt <= changedAt) before = true;
      else alarms.add(detector === "version" ? "versions" : metric);
    }
  }
  return { kind, rate: service.rate, alarms: [...alarms], before };
}

const part = (series: Series, from: number, to: number): Series => ({
  ...series,
  startAt: series.startAt + from * series.stepMs,
  values: series.values.slice(from, to),
});

const deployAt = (startedAt: number): Change => ({
  id: "nothing",
  kind: "deploy",
  service: "null",
  from: "v1",
  to: "v2",
  startedAt,
  finishedAt: startedAt,
  source: "bench",
  reversible: true,
});
