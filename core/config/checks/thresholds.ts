import { formatDuration, parseDuration } from "../durations.ts";
import { orLess, quoted, write } from "../hints/write.ts";
import { unitOfQuery, wellKnownMetric } from "../units.ts";
import type { Trouble } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { type Check, type Fields, isMap, keyTroubleAt, mapAt, valueTroubleAt } from "./check.ts";
import { conditionsIn } from "./conditions.ts";

/**
 * Below 10 ms, a threshold on a query over seconds was most likely written in seconds; the condition would fire on
 * every request, and an innocent change would go. Whoever means it says the query's `unit`, and is believed.
 */
const LEAST_MS_BESIDE_SECONDS = 10;
/** No request that crosses a network is served in under a millisecond at a percentile that anybody alarms on. */
const LEAST_MS = 1;
/** A latency threshold of more than an hour is a figure in µs. */
const MOST_MS = 3_600_000;

/** A bound that leaves nothing between it and the threshold, or that stands on the wrong side. */
export const boundsLeaveRoom: Check = ({ file }) =>
  conditionsIn(file).flatMap(({ path, value: { threshold, upper_bound: upper, comparison } }) => {
    if (!isFigure(upper) || !isFigure(threshold)) return [];
    const at = [...path, "upper_bound"];
    if (comparison === "less_than") {
      return [
        valueTroubleAt(
          at,
          "has no meaning beside less_than",
          "the threshold is the upper end already: remove upper_bound",
        ),
      ];
    }
    if (threshold < upper) return [];
    const word = threshold === upper ? "equal to" : "above";
    const message = `is ${upper}: the threshold ${threshold} is ${word} it, so nothing lies between`;
    const hint = threshold > upper ? `swap them: ${write(String(threshold))} here` : "raise upper_bound, or remove it";
    return [valueTroubleAt(at, message, hint)];
  });

/** Infinity and NaN are refused by the schema. */
const isFigure = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** A comparison that holds while all is well would take innocent changes back, all day long. */
export const comparisonsPointTheRightWay: Check = ({ file }) => {
  const queries = mapAt(file, "data_sources", "metrics", "queries");
  return conditionsIn(file).flatMap(({ path, value: { metric, comparison } }) => {
    if (typeof metric !== "string") return [];
    const query = queries[metric];
    const worse = wellKnownMetric(metric)?.worse ?? (isMap(query) ? query.worse : undefined);
    const bad = comparison === "less_than" ? "down" : "up";
    const isRead = comparison === undefined || comparison === "less_than" || comparison === "greater_than";
    if (!isRead || (worse !== "up" && worse !== "down") || worse === bad) return [];
    const right = worse === "up" ? "greater_than" : "less_than";
    const but = `but ${metric} degrades when it goes ${worse}`;
    if (comparison === undefined)
      return [keyTroubleAt(path, `fires above its threshold, ${but}`, `add comparison: ${right}`)];
    return [valueTroubleAt([...path, "comparison"], `is ${String(comparison)}, ${but}`, write(right))];
  });
};

/** Thresholds that the metric can never pass, or always does, because they are in another unit. */
export const thresholdsFitTheirUnit: Check = ({ file }) =>
  conditionsIn(file).flatMap(({ path, value }) =>
    (["threshold", "upper_bound"] as const).flatMap((key) => {
      const figure = value[key];
      return isFigure(figure) ? figureTrouble([...path, key], figure, value, file) : [];
    }),
  );

function figureTrouble(path: Path, figure: number, condition: Fields, file: unknown): readonly Trouble[] {
  const { metric } = condition;
  if (typeof metric !== "string") return [];
  const unit = wellKnownMetric(metric)?.unit;
  if (unit === undefined) return [];
  if (figure < 0) return [valueTroubleAt(path, `is ${figure}, but ${metric} is never below 0`, write(String(-figure)))];
  if (unit === "ratio" && figure > 1) {
    const hint = figure <= 100 ? `did you mean ${figure / 100}?` : "write a ratio from 0 to 1";
    return [valueTroubleAt(path, `is ${figure}, but ${metric} is a ratio from 0 to 1`, hint)];
  }
  return unit === "ms" && figure > 0 ? latencyTrouble(path, figure, metric, file) : [];
}

function latencyTrouble(path: Path, figure: number, metric: string, file: unknown): readonly Trouble[] {
  const entry = mapAt(file, "data_sources", "metrics", "queries")[metric];
  const text = isMap(entry) ? entry.query : entry;
  const unitIsSaid = isMap(entry) && entry.unit !== undefined;
  const overSeconds = typeof text === "string" && unitOfQuery(text) === "s";
  if (figure < LEAST_MS_BESIDE_SECONDS && overSeconds && !unitIsSaid) {
    const message = `is ${figure} ms, though the query yields seconds`;
    const hint = `write ${figure * 1000} for ${figure} s; to keep ${figure} ms give the query its unit, {query: …, unit: s}`;
    return [valueTroubleAt(path, message, hint)];
  }
  if (figure < LEAST_MS) {
    const hint = `latencies are in ms: did you mean ${figure * 1000}?`;
    return [valueTroubleAt(path, `is ${figure} ms, which every request takes`, hint)];
  }
  if (figure <= MOST_MS) return [];
  return [
    valueTroubleAt(
      path,
      `is ${figure} ms, which is ${Math.round(figure / MOST_MS)} hours`,
      `latencies are in ms: did you mean ${figure / 1000}?`,
    ),
  ];
}

/** A condition that lasts longer than what `scrape` keeps can never be seen to hold. */
export const durationsFitTheWindow: Check = ({ file }) => {
  const metrics = mapAt(file, "data_sources", "metrics");
  if (metrics.type !== "scrape") return [];
  const window = typeof metrics.window === "string" ? metrics.window : "6h";
  const windowMs = parseDuration(window);
  if (windowMs === null) return [];
  return conditionsIn(file).flatMap(({ path, value: { duration } }) => {
    const ms = typeof duration === "string" ? parseDuration(duration) : null;
    if (ms === null || ms <= windowMs) return [];
    const hint = orLess(quoted(formatDuration(windowMs)));
    const message = `is longer than data_sources.metrics.window (${window})`;
    return [valueTroubleAt([...path, "duration"], message, `${hint}, or raise window`)];
  });
};
