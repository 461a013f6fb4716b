import { logAdd, logSumExp } from "../detection/robust.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Candidate, Compared, Ranking, Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { countedOnce } from "./accomplice.ts";
import { speaksOfErrors } from "./aliases.ts";
import { causeBeneathBoth } from "./began-beside.ts";
import { type CallGraph, createCallGraph } from "./call-graph.ts";
import { type Demand, demandAtOnset, demandWords } from "./demand.ts";
import { type Exhaustion, exhaustion } from "./exhaustion.ts";
import { type FewerSeen, fewerSeen } from "./fewer-seen.ts";
import { harmAsOrigin, harmByService, hurts, isNearOnset } from "./harm.ts";
import { joinedByRelease } from "./joined-by-release.ts";
import { type NewSignature, newSignatures } from "./log-evidence.ts";
import { onsetBursts } from "./onset-burst.ts";
import { ELSEWHERE, fitOrigins, fitTogether, type Origin, type OriginInput } from "./origin.ts";
import { overloadedBy } from "./overload.ts";
import { type OwnExcess, ownExcess } from "./own-excess.ts";
import { coldStartNats, mayPass, rampEvidence, shapeNats } from "./passing.ts";
import type { PastOutcomes } from "./past-outcomes.ts";
import { pressedBy } from "./pressed.ts";
import { rampFoot } from "./ramp-foot.ts";
import { FROM_CHANGES, isTooLate, reasonsFor, splitOf } from "./reasons.ts";
import { type PastOnset, recurrenceReason } from "./recurrence.ts";
import { type Refused, refusedAtEntries } from "./refused.ts";
import { leftBehind, splitReplaced, takenBackBy } from "./replaced.ts";
import { indexSeries, type SampleIndex } from "./samples.ts";
import { sharedChange } from "./shared-change.ts";
import { showsAt } from "./shows-at.ts";
import { type Slowness, slownessByService } from "./slowness.ts";
import { type SpanEvidence, spanEvidence } from "./span-evidence.ts";
import { starvedCallees } from "./starved.ts";
import { strainOf } from "./strain.ts";
import { surgeAtEntries, usuallyUpTo } from "./surge.ts";
import { beginsTogether } from "./together.ts";
import { isCreeping } from "./trouble.ts";
import { unmeasuredCause, wideCauseReason } from "./unmeasured-cause.ts";
import { useWithRequests } from "./use-with-requests.ts";

export interface RankOptions {
  readonly versionLabel: string;
  readonly windowMs: number;
  readonly past?: PastOutcomes;
  /** Earlier degradations without a change to blame. */
  readonly alone?: readonly PastOnset[];
}

/**
 * The probability of each change, and of "no change", that it is why things got worse at `onset`.
 *
 * Normalised product of prior odds and likelihood ratios: timing, place in the call graph (with logs and traces),
 * versions side by side, log signatures by version or flag. Pure; the reasons add up to what decides.
 */
export function rankCandidates(
  caseFile: CaseFile,
  candidates: readonly Change[],
  onset: Onset,
  focus: ReadonlySet<string>,
  options: RankOptions,
): Compared {
  const evidence = gatherEvidence(caseFile, onset, focus, options);
  const others = candidates.filter((change) => change.ownRollback !== true);
  const { judged, gone } = splitReplaced(others, caseFile.changes, onset, evidence.stepMs);
  const anyEligible = judged.some((change) => !isTooLate(change, evidence));
  const alone = judged.map((change) => {
    const again = recurrenceReason(change, evidence, options.alone ?? [], options.windowMs);
    const reasons = reasonsFor(change, judged, evidence, options);
    return { change, reasons: again === null ? reasons : [...reasons, again] };
  });
  const isBack = (change: Change): boolean => takenBackBy(change, caseFile.changes, caseFile.at) !== undefined;
  const each = countedOnce(alone, evidence, isBack);
  const scored = joinedByRelease(each, sharedChange(judged), evidence, isBack);
  const left = leftBehind(gone, evidence.course, (change) => reasonsFor(change, others, evidence, options));
  const transient = passing(scored, evidence)?.reason ?? null;
  const unmeasured = unmeasuredCause(scored, evidence);
  const beneath = causeBeneathBoth(scored, evidence);
  const besides = [transient, unmeasured, beneath, coincidenceReason(evidence, options)].filter((one) => one !== null);
  const none = noChange(evidence, anyEligible, [...besides, ...left]);
  const total = logSumExp([none.logOdds, ...scored.map(({ logOdds }) => logOdds)]);
  const list: Candidate[] = scored
    .map(({ change, reasons, logOdds }) => ({
      changeId: change.id,
      service: change.service,
      probability: Math.exp(logOdds - total),
      reasons: [...reasons],
    }))
    .sort((a, b) => b.probability - a.probability || (a.changeId < b.changeId ? -1 : 1));
  const noChangeProbability = Math.exp(none.logOdds - total);
  return {
    candidates: list,
    noChangeProbability,
    noChangeReasons: [...none.reasons],
    rootCauses: rootCauses(list, none.places, noChangeProbability),
    weighed: weighedIn(evidence),
  };
}

function weighedIn({ graph, caseFile, spans }: CaseEvidence): NonNullable<Ranking["weighed"]> {
  return [
    ...(graph.known ? (["call-graph"] as const) : []),
    ...(caseFile.logs.length > 0 ? (["logs"] as const) : []),
    ...(spans === null ? [] : (["traces"] as const)),
  ];
}

/** That a wide cause reached these services as well: as what starts at one of them by itself would look. */
function coincidenceReason({ caseFile, origins, stepMs }: CaseEvidence, { windowMs }: RankOptions): Reason | null {
  const { coincidence, meeting } = caseFile;
  const fit = Math.max(...origins.filter(({ kind }) => kind === "service" || kind === "shared").map((one) => one.fit));
  const theirs = coincidence === undefined ? "more than meet by chance" : "without a change of their own";
  return wideCauseReason(coincidence ?? meeting, fit, { stepMs, windowMs, theirs });
}

/**
 * Replacing pods costs requests more often than a new version is bad: few teams see more than one bad change in seven
 * (the change failure rate of all but the lowest tier in the yearly DORA reports), restarts that drop connections are
 * ordinary. Twice as likely, and no more is claimed.
 */
const PASSING_NATS = Math.LN2;
/** Pods that start cold log errors of their own as well: what a new signature says for the version holds for this by half. */
const COLD_START_SHARE = 0.6;

/** So many are named in a sentence: on a busy day dozens of rollouts are under way. */
const NAMED = 3;

interface Scored {
  readonly change: Change;
  readonly reasons: readonly Reason[];
}

/** Log odds that what is seen is the passing cost of one of the rollouts: it belongs to "no change". */
function passing(scored: readonly Scored[], evidence: CaseEvidence): { logOdds: number; reason: Reason } | null {
  const shared = new Set(["prior", "timing", "place", "demand"]);
  const rollouts = scored.filter(({ change }) => mayPass(change, evidence));
  if (rollouts.length === 0) return null;
  const all = rollouts.map(({ change, reasons }) => {
    const ramp = rampEvidence(change, evidence, showsAt(change, evidence));
    const shape = ramp === null ? 0 : shapeNats(ramp, "passing");
    const logs = Math.max(0, reasons.find(({ name }) => name === "logs")?.logOdds ?? 0) * COLD_START_SHARE;
    const same = reasons.reduce((sum, { name, logOdds }) => sum + (shared.has(name) ? logOdds : 0), 0);
    const ending = splitOf(change, evidence)?.ending ?? 0;
    const versions = reasons.find(({ name }) => name === "versions")?.logOdds ?? 0;
    const split = ending > 0 ? ending : coldStartNats(change, versions, evidence);
    return PASSING_NATS + shape + logs + split + same;
  });
  const logOdds = logSumExp(all);
  const likeliest = rollouts
    .map(({ change: { id } }, i) => ({ id, nats: all[i] ?? Number.NEGATIVE_INFINITY }))
    .sort((a, b) => b.nats - a.nats || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
  const more = likeliest.length - NAMED;
  const ids = likeliest.slice(0, NAMED).join(", ") + (more > 0 ? ` or one of ${more} more` : "");
  return {
    logOdds,
    reason: { name: "passing", logOdds, sentence: `it may be the rollout transient of ${ids} replacing pods` },
  };
}

export interface CaseEvidence {
  readonly caseFile: CaseFile;
  readonly onset: Onset;
  readonly stepMs: number;
  readonly index: SampleIndex;
  readonly graph: CallGraph;
  readonly origins: readonly Origin[];
  /** Log probability of what is seen, given that it starts at each of these services at once; see `fitTogether`. */
  readonly startsAtEach: (services: readonly string[]) => number;
  readonly signatures: readonly NewSignature[];
  readonly harm: ReadonlyMap<string, number>;
  readonly slowness: ReadonlyMap<string, Slowness> | null;
  readonly worse: ReadonlyMap<string, ReadonlySet<string>>;
  readonly course: "shift" | "drift";
  /** What was used up before the trouble showed; then it began when that did. */
  readonly usedUp: Exhaustion | null;
  /** When it began by its slope, where it was first seen while it grew. */
  readonly foot: Onset | null;
  readonly surge: number | null;
  /** Up to how many requests a second services usually get at this time. */
  readonly usual: ReadonlyMap<string, number>;
  readonly starved: ReadonlySet<string>;
  readonly overloaded: ReadonlyMap<string, ReadonlySet<string>>;
  /** Degraded services that are asked far more since the onset than they ever served. */
  readonly demand: ReadonlyMap<string, Demand>;
  readonly own: OwnExcess | null;
  readonly spans: SpanEvidence | null;
  /** By service where users come in. */
  readonly refused: ReadonlyMap<string, Refused>;
  /** All that is worse is that fewer requests are seen, of nearly everybody. */
  readonly fewer: FewerSeen | null;
}

/** Everything that is read from the case once, whatever the candidate. */
export function gatherEvidence(
  caseFile: CaseFile,
  onset: Onset,
  focus: ReadonlySet<string>,
  options: RankOptions,
): CaseEvidence {
  const key = JSON.stringify([onset, [...focus].sort(), options.versionLabel, options.windowMs]);
  const known = gathered.get(caseFile) ?? new Map<string, CaseEvidence>();
  gathered.set(caseFile, known);
  const evidence = known.get(key) ?? newEvidence(caseFile, onset, focus, options);
  known.set(key, evidence);
  return evidence;
}

/** Ranking, deciding and looking for a way back read the same evidence of a case: it is gathered once. */
const gathered = new WeakMap<CaseFile, Map<string, CaseEvidence>>();

function newEvidence(caseFile: CaseFile, onset: Onset, focus: ReadonlySet<string>, options: RankOptions): CaseEvidence {
  const index = indexSeries(caseFile.series, options.versionLabel);
  const graph = createCallGraph(caseFile.topology);
  const isTold = (one: Finding) => one.verdict === "worse" && focus.has(one.service) && hurts(index, one);
  const lower = fewerSeen(index, graph, caseFile.findings, caseFile.at);
  const fewer =
    lower !== null && caseFile.findings.every((one) => !isTold(one) || lower.findings.has(one)) ? lower : null;
  // Beside what is worse by itself, what only fell with the requests says nothing.
  const findings = caseFile.findings.filter((one) => fewer !== null || lower?.findings.has(one) !== true);
  const harm = harmByService(index, findings, onset, caseFile.at);
  const names = new Set([...index.services, ...graph.external, ...caseFile.changes.map(({ service }) => service)]);
  const hurt = index.services.filter((service) => focus.has(service));
  const stepMs = Math.max(1, ...(hurt.length > 0 ? hurt : index.services).map((service) => finestStep(index, service)));
  const signatures = newSignatures(caseFile.logs, onset, stepMs, names);
  const spans = spanEvidence(caseFile.spans, onset);
  const atOrigin = harmAsOrigin(index, findings, onset, caseFile.at, harm);
  const slowness = slownessByService(index, findings, onset, caseFile.at, harm);
  const near = findings.filter((one) => isNearOnset(index, one, onset));
  const own = ownExcess(index, graph, harm, near, onset, caseFile.at);
  const together = beginsTogether(near, onset, caseFile.at, stepMs);
  const pressed = pressedBy(findings, index, graph, onset, caseFile.at);
  const overloaded = new Map([...pressed, ...overloadedBy(index, graph, onset, caseFile.at)]);
  const told = findings.filter(isTold);
  const creeping = isCreeping(told, index);
  const usedUp = exhaustion(told, index, caseFile.changes);
  const course = creeping || usedUp !== null ? "drift" : "shift";
  // The busy hour of every day is slow every day, whether anybody remembers how slow; requests fail for another reason.
  const fails = told.some(({ metric }) => speaksOfErrors(metric));
  const usual = usuallyUpTo(fails ? caseFile.usualTraffic : []);
  // Over the hours of a drift traffic rises by itself, with the day.
  const surge = course === "drift" ? null : surgeAtEntries(index, graph, onset, caseFile.at, usual);
  // Late answers are no refusals, and what creeps has no before.
  const failing = course === "shift" && told.some(({ metric }) => speaksOfErrors(metric));
  const refused: CaseEvidence["refused"] = failing
    ? refusedAtEntries(index, graph, harm, onset, caseFile.at)
    : new Map();
  const starved = starvedCallees(index, graph, onset, caseFile.at);
  // What comes to everybody who is asked by users is the surge; what creeps does so whatever is asked, but for processor time.
  const risen = () => demandAtOnset({ index, graph, harm, onset, at: caseFile.at, usual });
  const worse = worseMetrics(told);
  const demand: CaseEvidence["demand"] =
    course === "drift" ? useWithRequests(index, worse, onset, caseFile.at) : surge !== null ? new Map() : risen();
  const input: OriginInput = {
    graph,
    harm,
    atOrigin,
    slowness,
    signatures,
    spans,
    surge,
    fewer: fewer?.share ?? null,
    refused,
    own,
    together,
    overloaded,
    demand,
    starved,
    strain: course === "drift" ? null : strainOf(index, caseFile.changes, onset, caseFile.at),
    bursts: onsetBursts(index, onset, caseFile.at),
    counted: new Set(index.services.filter((service) => index.whole(service, "request_rate") !== undefined)),
    creeping,
  };
  return {
    caseFile,
    onset,
    stepMs,
    index,
    graph,
    origins: fitOrigins(input),
    startsAtEach: (services) => fitTogether(input, services),
    signatures,
    harm,
    slowness,
    worse,
    course,
    usedUp,
    // What grows while more and more users come in grows with them.
    foot:
      course === "drift" || surgeAtEntries(index, graph, onset, caseFile.at) !== null
        ? null
        : rampFoot(told, index, onset, caseFile.at),
    starved,
    surge,
    usual,
    overloaded,
    demand,
    own,
    spans,
    refused,
    fewer,
  };
}

/** A coarse gauge beside fine ones makes nothing known later than the fine ones tell it. */
const finestStep = (index: SampleIndex, service: string): number =>
  Math.min(...index.metrics(service).map(({ stepMs }) => stepMs));

function worseMetrics(findings: readonly Finding[]): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const { service, metric } of findings) {
    const set = metrics.get(service) ?? new Set<string>();
    metrics.set(service, set.add(metric));
  }
  return metrics;
}

interface NoChange {
  readonly logOdds: number;
  readonly reasons: readonly Reason[];
  /** Posterior of each place, given that no change is to blame. */
  readonly places: ReadonlyMap<string, number>;
}

function noChange(
  { origins, surge, fewer, demand }: CaseEvidence,
  anyEligible: boolean,
  besides: readonly Reason[],
): NoChange {
  const count = (kind: Origin["kind"]) => origins.filter((one) => one.kind === kind).length;
  const missing = count("external") === 0 ? ELSEWHERE.external : 0;
  const weightOf = ({ kind }: Origin): number =>
    (ELSEWHERE[kind] + (kind === "service" ? missing : 0)) / Math.max(1, count(kind));
  const logs = origins.map((origin) => Math.log(weightOf(origin)) + logAdd(origin.fit, origin.atConsumers));
  const fit = logSumExp(logs);
  const places = new Map(origins.map(({ name }, i) => [name, Math.exp((logs[i] ?? Number.NEGATIVE_INFINITY) - fit)]));
  const best = origins[logs.indexOf(Math.max(...logs))];
  const prior = Math.log(anyEligible ? 1 - FROM_CHANGES : 1);
  const reasons: Reason[] = [
    { name: "prior", logOdds: prior, sentence: "three outages in ten come from no change" },
    {
      name: "place",
      logOdds: fit,
      sentence: `without a change it would most likely start at ${best?.name ?? "nowhere known"}`,
    },
  ];
  if (surge !== null)
    reasons.push({
      name: "surge",
      logOdds: 0,
      sentence: `traffic where users come in is ${surge.toFixed(1)} times the baseline`,
    });
  for (const [service, one] of demand)
    reasons.push({ name: "demand", logOdds: 0, sentence: demandWords(service, one) });
  if (fewer !== null) reasons.push({ name: "fewer", logOdds: 0, sentence: fewer.sentence });
  reasons.push(...besides);
  return { logOdds: logSumExp([prior + fit, ...besides.map(({ logOdds }) => logOdds)]), reasons, places };
}

function rootCauses(
  candidates: readonly Candidate[],
  places: ReadonlyMap<string, number>,
  noChangeProbability: number,
): Ranking["rootCauses"] {
  const scores = new Map([...places].map(([name, score]) => [name, score * noChangeProbability]));
  for (const { service, probability } of candidates) scores.set(service, (scores.get(service) ?? 0) + probability);
  return [...scores]
    .map(([service, score]) => ({ service, score: Math.min(1, score) }))
    .sort((a, b) => b.score - a.score || (a.service < b.service ? -1 : 1));
}
