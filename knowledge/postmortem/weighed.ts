import type { Ranking } from "../../core/model/candidate.ts";

/** In the order in which a sentence names them. */
const KINDS = [
  "timing",
  "versions",
  "which services are affected",
  "the call graph",
  "logs",
  "traces",
  "readiness of pods",
  "changes in traffic",
  "past incidents",
  "a canary",
] as const;
type Kind = (typeof KINDS)[number];

/** What a reason is computed from, by its name. A prior is from no evidence of the incident, and is no kind of it. */
const OF_REASON: Readonly<Record<string, Kind>> = {
  timing: "timing",
  "onset-coincidence": "timing",
  "began-together": "timing",
  growth: "versions",
  versions: "versions",
  share: "versions",
  place: "which services are affected",
  elsewhere: "which services are affected",
  "unmeasured-callee": "which services are affected",
  logs: "logs",
  readiness: "readiness of pods",
  demand: "changes in traffic",
  surge: "changes in traffic",
  fewer: "changes in traffic",
  recurrence: "past incidents",
  canary: "a canary",
};
const OF_SOURCE: Readonly<Record<NonNullable<Ranking["weighed"]>[number], Kind>> = {
  "call-graph": "the call graph",
  logs: "logs",
  traces: "traces",
};

/**
 * "The probabilities are computed from …": the kinds of evidence that this ranking really had, by its reasons and by what there
 * was to weigh places by, and no other (S15). Of one that nothing but priors made up, or whose
 * reasons are not recorded: that.
 */
export function weighedText({ candidates, noChangeReasons, weighed = [] }: Ranking): string {
  const names = [...candidates.flatMap(({ reasons }) => reasons), ...noChangeReasons].map(({ name }) => name);
  const had = new Set<Kind | undefined>([
    ...names.map((name) => OF_REASON[name]),
    ...weighed.map((one) => OF_SOURCE[one]),
  ]);
  const kinds = KINDS.filter((kind) => had.has(kind));
  const last = kinds.at(-1);
  if (last === undefined)
    return names.includes("prior")
      ? "The probabilities are priors: there was no evidence; they sum to 100 %."
      : "What the probabilities are computed from is not recorded; they sum to 100 %.";
  const all = kinds.length === 1 ? last : `${kinds.slice(0, -1).join(", ")} and ${last}`;
  return `The probabilities are computed from ${all}; they sum to 100 %.`;
}
