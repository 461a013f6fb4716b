import type { Draw } from "../draw.ts";
import { MINUTE, type Scenario } from "../world/model.ts";
import type { Course } from "../world/node.ts";
import type { Run } from "../world/simulate.ts";
import { versionName } from "../world/versions.ts";

/** One line of `spans.jsonl`. */
export interface SpanLine {
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id?: string;
  readonly service: string;
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  readonly error: boolean;
  readonly version?: string;
}

/** Traces a minute that head sampling keeps, and the deepest and widest trace: Huye et al., ATC 2023, find most shallow. */
const PER_MINUTE = 2.5;
const MOST_SPANS = 24;
const MOST_DEPTH = 7;
/** Tail sampling keeps this many times as many traces that failed. */
const FAILED_KEPT = 4;

/** A sample of traces. A request fails where the simulation says it fails, and its callers fail with it unless they hide it. */
export function writeSpans(scenario: Scenario, run: Run, draw: Draw): readonly SpanLine[] {
  const entries = [...run.courses.values()].filter(({ service }) => service.tier === "entry");
  const lines: SpanLine[] = [];
  const { start, stepMs, length } = run.grid;
  const end = start + (length - 1) * stepMs;
  for (let at = start + stepMs; at < end; at += draw.exponential(MINUTE / (PER_MINUTE * FAILED_KEPT))) {
    const spans: SpanLine[] = [];
    const cell = Math.ceil((at - start) / stepMs);
    const entry = pickByRate(entries, cell, draw);
    if (entry === null) continue;
    const failed = walk(
      { scenario, run, draw, cell, spans, trace: draw.hex(32) },
      entry,
      at * 1000,
      undefined,
      0,
      "",
    ).failed;
    if (failed || draw.chance(1 / FAILED_KEPT)) lines.push(...spans);
  }
  return lines.sort((a, b) => a.start - b.start);
}

function pickByRate(entries: readonly Course[], cell: number, draw: Draw): Course | null {
  let point = draw.uniform(
    0,
    entries.reduce((sum, { rate }) => sum + (rate[cell] ?? 0), 0),
  );
  for (const entry of entries) {
    point -= entry.rate[cell] ?? 0;
    if (point < 0) return entry;
  }
  return entries[0] ?? null;
}

interface Walk {
  readonly scenario: Scenario;
  readonly run: Run;
  readonly draw: Draw;
  readonly cell: number;
  readonly spans: SpanLine[];
  readonly trace: string;
}

function walk(
  to: Walk,
  course: Course,
  startUs: number,
  parent: string | undefined,
  depth: number,
  caller: string,
): { readonly failed: boolean; readonly took: number } {
  const { scenario, run, draw, cell, spans, trace } = to;
  const { service, versions } = course;
  const share = versions.share[cell] ?? 1;
  const isNew = draw.chance(share);
  const track = isNew ? course.newer : course.older;
  const span = draw.hex(16);
  const slot = spans.length;
  const observed = service.tier !== "external";
  if (observed)
    spans.push({
      trace_id: trace,
      span_id: span,
      service: service.name,
      name: "",
      start: 0,
      duration: 0,
      error: false,
    });
  const own = track.ownErrors[cell] ?? 0;
  let failed = draw.chance(
    course.rejecting.size === 0
      ? own
      : Math.min(1, own - (track.rejected[cell] ?? 0) + (course.rejecting.get(caller)?.[cell] ?? 0)),
  );
  const away = course.turnedAway[cell] ?? 0;
  const atTheDoor = failed && away > 0 && draw.chance(Math.min(1, away / own));
  let took = (track.work[cell] ?? 0) * Math.exp(service.tail * draw.normal()) * 1000;
  const stalled = track.stalled[cell] ?? 0;
  if (stalled > 0 && draw.chance(stalled)) took += (track.stallMs[cell] ?? 0) * 1000;
  if (atTheDoor) took = Math.min(took, 1000);
  else if (depth < MOST_DEPTH)
    for (const call of scenario.system.calls) {
      if (call.caller !== service.name || spans.length >= MOST_SPANS) continue;
      const callee = run.courses.get(call.callee);
      if (call.queue) {
        const lost = callee?.lost[cell] ?? 0;
        if (lost > 0 && draw.chance(Math.min(1, call.perRequest) * lost * (1 - call.fallback))) failed = true;
        continue;
      }
      if (callee === undefined || !draw.chance(Math.min(1, call.perRequest))) continue;
      const refused = callee.refused[cell] ?? 0;
      if (refused > 0 && draw.chance(refused)) {
        if (!draw.chance(call.fallback)) failed = true;
        continue;
      }
      const answer = walk(to, callee, startUs + took, observed ? span : parent, depth + 1, service.name);
      const late = answer.took > call.timeoutMs * 1000;
      took += Math.min(answer.took, call.timeoutMs * 1000);
      if ((answer.failed || late) && !draw.chance(call.fallback)) failed = true;
      if (failed && draw.chance(0.5)) break;
    }
  if (observed)
    spans[slot] = {
      trace_id: trace,
      span_id: span,
      ...(parent === undefined ? {} : { parent_id: parent }),
      service: service.name,
      name: service.tier === "store" ? "query" : `${draw.chance(0.7) ? "GET" : "POST"} /${service.name}`,
      start: Math.round(startUs),
      duration: Math.round(took),
      error: failed,
      ...(share > 0 && share < 1
        ? { version: versionName(versions, (versions.newer[cell] ?? -1) - (isNew ? 0 : 1), "") }
        : {}),
    };
  return { failed, took };
}
