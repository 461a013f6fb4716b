import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import type { LogLine } from "../../../core/model/evidence.ts";
import type { Onset } from "../../../core/model/finding.ts";

export const T0 = Date.parse("2026-03-02T12:00:00Z");
export const MINUTE = 60_000;

export function change(replaced: Partial<Change> = {}): Change {
  return {
    id: "deploy-cart",
    kind: "deploy",
    service: "cart",
    from: "v1.0.0",
    to: "v1.1.0",
    startedAt: T0,
    finishedAt: T0 + 2 * MINUTE,
    source: "test",
    reversible: true,
    ...replaced,
  };
}

export const onsetAt = (at: number, early = 0, late = 15_000): Onset => ({
  at,
  earliest: at - early,
  latest: at + late,
});

export function line(at: number, message: string, replaced: Partial<LogLine> = {}): LogLine {
  return { at, service: "cart", level: "error", message, ...replaced };
}

export function emptyCase(replaced: Partial<CaseFile> = {}): CaseFile {
  return {
    at: T0 + 10 * MINUTE,
    series: [],
    findings: [],
    conditions: [],
    changes: [],
    topology: null,
    logs: [],
    spans: [],
    flags: [],
    rollouts: [],
    alerts: [],
    gaps: [],
    ...replaced,
  };
}
