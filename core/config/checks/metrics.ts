import { WELL_KNOWN_METRICS } from "../../model/signal.ts";
import { didYouMean, editDistance } from "../nearest.ts";
import { KNOWN_UNITS, unitFits, unitOfMetric, unitOfQuery } from "../units.ts";
import { type Check, isMap, keyTroubleAt, mapAt, valueTroubleAt, writtenAt } from "./check.ts";
import { metricNamesIn } from "./conditions.ts";

const WELL_KNOWN = Object.keys(WELL_KNOWN_METRICS);

/** A metric that policies name is a well-known one, or has a query. */
export const metricsAreKnown: Check = ({ file, raw }) => {
  const known = [...new Set([...WELL_KNOWN, ...Object.keys(mapAt(file, "data_sources", "metrics", "queries"))])];
  return metricNamesIn(file)
    .filter(({ value }) => !known.includes(value))
    .map(({ path, value }) =>
      valueTroubleAt(path, `is ${writtenAt(raw, path)}, which no query yields`, didYouMean(value, known)),
    );
};

/** Two slips in a name that nothing refers to: the usual query would be used, and this one never. */
export const queriesAreUsed: Check = ({ file }) => {
  const named = new Set(metricNamesIn(file).map(({ value }) => value));
  return Object.keys(mapAt(file, "data_sources", "metrics", "queries")).flatMap((metric) => {
    if (WELL_KNOWN.includes(metric) || named.has(metric)) return [];
    const meant = WELL_KNOWN.find((name) => editDistance(metric, name) <= 2);
    if (meant === undefined) return [];
    const path = ["data_sources", "metrics", "queries", metric];
    return [keyTroubleAt(path, "is no well-known metric, and no policy names it", `did you mean ${meant}?`)];
  });
};

/** A unit that the metric cannot have, or that the names in the query contradict, would be wrong by powers of ten. */
export const queryUnitsFit: Check = ({ file }) =>
  Object.entries(mapAt(file, "data_sources", "metrics", "queries")).flatMap(([metric, entry]) => {
    const path = ["data_sources", "metrics", "queries", metric];
    const query = isMap(entry) ? entry.query : entry;
    const named = typeof query === "string" ? unitOfQuery(query) : null;
    const said = isMap(entry) && typeof entry.unit === "string" ? entry.unit : null;
    const own = unitOfMetric(metric);
    if (said !== null && !KNOWN_UNITS.includes(said)) return []; // the schema has said so
    if (said !== null && !unitFits(said, metric)) {
      return [valueTroubleAt([...path, "unit"], `cannot be ${said}: ${metric} is in ${own}`, unitsFor(metric))];
    }
    if (said !== null && named !== null && !sameUnit(said, named)) {
      const message = `is ${said}, but the names in the query say ${named}`;
      return [valueTroubleAt([...path, "unit"], message, `remove unit, or scale the query to ${said}`)];
    }
    if (said === null && named !== null && !unitFits(named, metric)) {
      const hint = own === "ratio" ? "divide it by what it is a share of" : `the query must yield ${own}`;
      return [valueTroubleAt(path, `yields ${named} by the names in it, but ${metric} is in ${own}`, hint)];
    }
    return [];
  });

function unitsFor(metric: string): string {
  return `one of ${KNOWN_UNITS.filter((unit) => unitFits(unit, metric)).join(", ")}`;
}

function sameUnit(said: string, named: string): boolean {
  const longForms: Readonly<Record<string, string>> = {
    milliseconds: "ms",
    seconds: "s",
    microseconds: "us",
    nanoseconds: "ns",
    "%": "percent",
  };
  return (longForms[said] ?? said) === named;
}
