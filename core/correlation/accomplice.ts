import { logAdd, logSumExp } from "../detection/robust.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { speaksOfErrors } from "./aliases.ts";
import { ownFailures } from "./own-failures.ts";
import { endOf } from "./passing.ts";
import { BAD_CHANGE } from "./prior.ts";
import type { CaseEvidence } from "./rank.ts";
import { sumOf } from "./reasons.ts";
import type { Weighed } from "./unmeasured-cause.ts";
import { failsMoreThanOld } from "./version-split.ts";

/** A change that may be guilty together with another one, each by itself. */
export interface Accomplice {
  readonly change: Change;
  /** Log odds that it is guilty too, given that the other one is. */
  readonly logOdds: number;
  readonly sentence: string;
}

/**
 * One change in ten is bad, whatever happens elsewhere: the change failure rate of ordinary teams.
 * @see the yearly DORA reports, "Accelerate State of DevOps", change failure rate
 */
const BAD_TOO = Math.log(BAD_CHANGE / (1 - BAD_CHANGE));
/** What one kind of sign may say by itself: sums and sampled traces blur. */
const MOST_NATS = Math.log(16);

/**
 * Who else is guilty where one change is: a change of another service that fails requests which nothing that it calls
 * accounts for. What the guilty one causes elsewhere comes over calls, so that others' failures are passed on; failures
 * of a service's own need a cause of its own. Signs are the versions side by side, the part of the service's failures
 * that no callee accounts for, or that does not grow with theirs, failed calls none of whose own calls failed, and new
 * errors of the new version alone. Its time counts against it only: that it was made together with the other one is no sign.
 *
 * For failed requests alone; waiting overlaps, so that seconds of latency do not tell whose they are. A flag is no
 * accomplice of another kind of change, since one plan takes one action. Empty where nothing tells own failures from
 * passed-on ones.
 */
export function accomplices(
  culprit: Change,
  changes: readonly { readonly change: Change; readonly reasons: readonly Reason[] }[],
  evidence: CaseEvidence,
): readonly Accomplice[] {
  if (!failsRequests(evidence)) return [];
  return changes
    .filter(({ change }) => mayJoin(culprit, change))
    .flatMap(({ change, reasons }) => {
      const own = ownSigns(change, reasons, evidence);
      if (own.length === 0) return [];
      const timing = reasons.find(({ name }) => name === "timing")?.logOdds ?? 0;
      const logOdds = BAD_TOO + Math.min(0, timing) + own.reduce((sum, one) => sum + one.logOdds, 0);
      return [{ change, logOdds, sentence: own.map(({ sentence }) => sentence).join("; ") }];
    });
}

/**
 * A change that went out within the very samples in which the trouble began, to a service that calls what the culprit
 * changed and is hurt with it: whether it is guilty too is told by how the two grow while the culprit still rolls out, and
 * not before. Null where there is none, where that is told already, or where waiting longer would tell no more.
 */
export function untold(culprit: Change, changes: readonly Change[], evidence: CaseEvidence): Change | null {
  const { index, graph, harm, onset, stepMs, caseFile } = evidence;
  const isGrowing = (endOf(culprit, evidence) ?? caseFile.at) >= caseFile.at - stepMs;
  if (!isGrowing || caseFile.at - onset.at > Math.min(MOST_SAMPLES * stepMs, MOST_WAIT_MS) || !failsRequests(evidence))
    return null;
  const callers = graph.callers(culprit.service);
  const met = changes.filter(
    (other) =>
      mayJoin(culprit, other) &&
      callers.has(other.service) &&
      (harm.get(other.service) ?? 0) > 0 &&
      other.startedAt >= onset.earliest - stepMs &&
      other.startedAt <= onset.latest + stepMs &&
      ownFailures(index, graph, harm, other.service, onset, caseFile.at)?.told === false,
  );
  return met[0] ?? null;
}
/** Two minutes at fifteen seconds a sample: a rollout's growth shows in eight samples, or not at all. */
const MOST_SAMPLES = 8;
/** However coarse the samples, what is surely guilty does not go on for longer because of what may be guilty too. */
const MOST_WAIT_MS = 5 * 60_000;

/**
 * The changes, each with what it gains from being possibly not alone. Each accomplice is guilty with a change or not,
 * independently; every set of them is one hypothesis, counted once: under the surest of those in it that stand, and where
 * all of them are taken back, under the surest of these. So what was taken back hides nobody who was guilty with it, and
 * the odds of all changes together are the same whether it was or not. `isBack`: whether a change is taken back. Pure.
 */
export function countedOnce(
  alone: readonly { readonly change: Change; readonly reasons: readonly Reason[] }[],
  evidence: CaseEvidence,
  isBack: (change: Change) => boolean,
): readonly Weighed[] {
  const order = alone.toSorted(surest).map(({ change }) => change);
  const placeOf = (change: Change): number => order.indexOf(change);
  const news = new Map<Change, Reason[]>();
  const weights = new Map(alone.map(({ change, reasons }) => [change, sumOf(reasons)]));
  const add = (change: Change, logOdds: number, sentence: string) => {
    news.set(change, [...(news.get(change) ?? []), { name: "joined", logOdds, sentence }]);
    weights.set(change, (weights.get(change) ?? 0) + logOdds);
  };
  const moved: { readonly from: Change; readonly to: Change; readonly logOdds: number }[] = [];
  for (const { change, reasons } of alone) {
    const joins = accomplices(change, alone, evidence)
      .filter((one) => placeOf(one.change) > placeOf(change))
      .toSorted((a, b) => placeOf(a.change) - placeOf(b.change));
    if (joins.length === 0) continue;
    const stand = isBack(change) ? joins.filter((one) => !isBack(one.change)) : [];
    const stay = joins.filter((one) => !stand.includes(one));
    const rest = setsOf(stay);
    add(change, rest, joinedText(stay, isBack));
    // The sets with the first of those that stand, then those without it and with the second, and so on.
    for (const [index, one] of stand.entries()) {
      const logOdds = sumOf(reasons) + rest + one.logOdds + setsOf(stand.slice(index + 1));
      moved.push({ from: change, to: one.change, logOdds });
    }
  }
  for (const { from, to, logOdds } of moved) {
    const own = weights.get(to) ?? 0;
    add(to, logAdd(own, logOdds) - own, `${from.id}, which is rolled back, may be a concurrent fault`);
  }
  return alone.map(({ change, reasons }) => ({
    change,
    reasons: [...reasons, ...(news.get(change) ?? [])],
    logOdds: weights.get(change) ?? 0,
  }));
}

/** Log odds of all sets of accomplices together, the empty one among them, against being guilty alone. */
const setsOf = (found: readonly Accomplice[]): number => found.reduce((sum, one) => sum + logAdd(0, one.logOdds), 0);

function joinedText(found: readonly Accomplice[], isBack: (change: Change) => boolean): string {
  const likely = found.filter((one) => one.logOdds > 0).map(({ change }) => change);
  const names = (changes: readonly Change[]) => changes.map(({ id }) => id).join(", ");
  const [back, stand] = [likely.filter(isBack), likely.filter((change) => !isBack(change))];
  const texts = [
    ...(stand.length === 0 ? [] : [`${names(stand)} may be a concurrent fault`]),
    ...(back.length === 0
      ? []
      : [`${names(back)}, which ${back.length === 1 ? "is" : "are"} rolled back, may be a concurrent fault`]),
  ];
  return texts.length === 0 ? "no other change is suspected as well" : texts.join("; ");
}

/** The likelier by itself first. */
const surest = (a: Omit<Weighed, "logOdds">, b: Omit<Weighed, "logOdds">): number =>
  sumOf(b.reasons) - sumOf(a.reasons) || (a.change.id < b.change.id ? -1 : 1);

const failsRequests = ({ worse }: CaseEvidence): boolean =>
  [...worse.values()].some((metrics) => [...metrics].some(speaksOfErrors));

const mayJoin = (culprit: Change, other: Change): boolean =>
  other.id !== culprit.id && other.service !== culprit.service && (other.kind === "flag") === (culprit.kind === "flag");

interface Sign {
  readonly logOdds: number;
  readonly sentence: string;
}

function ownSigns(change: Change, reasons: readonly Reason[], evidence: CaseEvidence): readonly Sign[] {
  const { own, spans, index, graph, harm, onset, caseFile } = evidence;
  const { service } = change;
  const signs: Sign[] = [];
  const part = own?.metric === "error_rate" ? own.parts.get(service) : undefined;
  const beside = ownFailures(index, graph, harm, service, onset, caseFile.at);
  // That nothing stands beside them acquits nobody: what it fails itself may grow with its own rollout.
  if (beside?.told === true && beside.nats > 0)
    signs.push({
      logOdds: beside.nats,
      sentence: `${service} fails ${percent(beside.share)} of its requests beside what its callees fail`,
    });
  else if (own !== null && part !== undefined)
    signs.push({
      logOdds: absorbed(notBlur(part, own.counted ? COUNTED_BLUR : GUESSED_BLUR)),
      sentence: `no callee accounts for ${percent(part)} of what ${service} fails`,
    });
  const failed = spans?.failed.get(service);
  if (failed !== undefined && failed.all >= LEAST_SPANS)
    signs.push({
      logOdds: notBlur(failed.own / failed.all, COUNTED_BLUR),
      sentence: `${failed.own} of ${failed.all} failed calls of ${service} have no failed call of their own`,
    });
  const split = change.kind === "flag" ? null : failsMoreThanOld(index, change, onset, caseFile.at);
  if (split !== null) signs.push({ logOdds: split.nats, sentence: split.sentence });
  const logs = reasons.find(({ name }) => name === "logs");
  const fresh = evidence.signatures.find((one) => one.service === service && one.names.length === 0 && !one.complains);
  if (logs !== undefined) signs.push(logs);
  else if (fresh !== undefined && change.kind !== "flag")
    signs.push({ logOdds: OWN_SIGNATURE, sentence: `${service} logs a new error of its own: "${fresh.template}"` });
  return signs;
}

/**
 * A caller that absorbs half of what its callees fail (it asks again, or does without) owns more than is left: a small part
 * says little.
 */
const absorbed = (nats: number): number => logSumExp([nats, 0]) - Math.LN2;

/**
 * Mean part of passed-on failures that looks like a service's own: with requests and calls counted a tenth (samples that
 * do not quite overlap, callers that give up before the answer, calls that were not traced), else a third (how often a
 * caller asks for one request of its own is then a guess).
 */
const COUNTED_BLUR = 0.1;
const GUESSED_BLUR = 1 / 3;
/** What a new error that blames nobody else says for its service, as where trouble starts. */
const OWN_SIGNATURE = Math.log(6);
/** Fewer failed calls than this do not tell a part. */
const LEAST_SPANS = 10;

/**
 * Log likelihood ratio of a part that is a service's own, any part being alike, against blur of this mean: a beta density
 * with parameters 1 and 1/mean − 1.
 */
function notBlur(part: number, mean: number): number {
  const b = 1 / mean - 1;
  const blur = Math.log(b) + (b - 1) * Math.log(Math.max(1e-9, 1 - part));
  return Math.max(-MOST_NATS, Math.min(MOST_NATS, -blur));
}

const percent = (part: number): string => `${Math.round(100 * part)} %`;
