import { type Point, placeBreak } from "../detection/broken-stick.ts";
import { mannKendall, median } from "../detection/robust.ts";
import type { Finding, Onset } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import { onceAnIndex } from "./once.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** So much of the time before the trouble tells the level that it left. */
const BEFORE_MS = 1_800_000;
/** As many points as a drift's onset is read from. */
const POINTS = 64;
/** A rise of fewer points is a jump, which has a time of its own; nearly every pair of eight rises where z is 3 (p < 10⁻³). */
const LEAST_RISING = 8;
const STEADY_Z = 3;
/** A rise is looked at up to here of what it came to: what levels off at the end is no part of it. */
const MOST_OF_IT = 0.8;

/**
 * When trouble began that was first seen while it grew: the break of a level and a line through the samples up to most of
 * what it came to, of the signals that date the trouble. What grows evenly begins before any sample differs from the noise
 * about the level, the longer before the slower it grows, and is dated by its slope. Null where nothing grew steadily, or
 * it was seen at once; of several, the narrowest.
 */
export function rampFoot(findings: readonly Finding[], index: SampleIndex, onset: Onset, at: number): Onset | null {
  const found = findings
    .filter((one) => one.onset?.at === onset.at && one.verdict === "worse" && Object.keys(one.labels).length === 0)
    .flatMap(({ service, metric }) => {
      const series = index.whole(service, metric);
      const key = `${service}\n${metric}\n${onset.at} ${at}`;
      const foot = series === undefined ? null : once(index, key, () => footOf(series, onset, at));
      return foot === null ? [] : [foot];
    });
  return found.toSorted((a, b) => a.latest - a.earliest - (b.latest - b.earliest) || a.at - b.at)[0] ?? null;
}

const once = onceAnIndex<Onset | null>();

function footOf(series: Series, onset: Onset, at: number): Onset | null {
  const sign = series.worse === "down" ? -1 : 1;
  const read = (from: number, to: number) =>
    samplesBetween(series, from, to).map((one) => ({ x: one.at, y: sign * one.value }));
  const since = read(onset.at, at);
  const before = read(onset.earliest - BEFORE_MS, onset.earliest);
  if (since.length < LEAST_RISING || before.length < LEAST_RISING) return null;
  const level = median(before.map(({ y }) => y));
  const cameTo = median(since.slice(Math.floor((3 * since.length) / 4)).map(({ y }) => y));
  const most = since.find(({ y }) => y - level >= MOST_OF_IT * (cameTo - level));
  if (most === undefined || cameTo <= level) return null;
  const samples = read(onset.earliest - BEFORE_MS, most.x);
  const size = Math.max(1, Math.ceil(samples.length / POINTS));
  const points: Point[] = [];
  for (let end = samples.length; end - size >= 0; end -= size) {
    const block = samples.slice(end - size, end);
    points.unshift({ x: median(block.map(({ x }) => x)), y: median(block.map(({ y }) => y)) });
  }
  const spacing = size * series.stepMs;
  const found = points.length < 2 * LEAST_RISING ? null : placeBreak(points, spacing);
  if (found === null || found.older || found.slope <= 0 || found.at >= onset.earliest) return null;
  const rising = points.filter(({ x }) => x > found.at);
  if (rising.length < LEAST_RISING || mannKendall(rising.map(({ y }) => y)) < STEADY_Z) return null;
  return {
    at: Math.round(found.at),
    earliest: Math.round(found.early - spacing / 2),
    latest: Math.round(found.late + spacing / 2),
  };
}
