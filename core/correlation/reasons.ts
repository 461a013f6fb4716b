import { logAdd, logSumExp } from "../detection/robust.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import { busierChance } from "./busier.ts";
import { demandWords } from "./demand.ts";
import { onsetWords } from "./onset-words.ts";
import type { Origin } from "./origin.ts";
import { isStaged, rampEvidence, shapeNats, withEnd } from "./passing.ts";
import { priorNats } from "./prior.ts";
import type { CaseEvidence, RankOptions } from "./rank.ts";
import { readinessReason } from "./readiness.ts";
import { isSaturatedByCost } from "./saturation.ts";
import { failsMoreThanItsShare } from "./served-share.ts";
import { showsAt } from "./shows-at.ts";
import { ORDINARY_ROLLOUT_MS, timingEvidence, UNTOLD_MS } from "./timing.ts";
import { type VersionSplit, versionSplit } from "./version-split.ts";

/**
 * About seven outages in ten come from changes in a live system.
 * @see Google, Site Reliability Engineering, ch. 1 "Introduction", "Change Management"
 */
export const FROM_CHANGES = 0.7;
/**
 * Changes in the window of an ordinary incident: one or two. Each change brings its own risk, so that its odds against
 * "no change" do not fall because others were made at the same time; only an unusual number makes changes likelier.
 */
export const ORDINARY_CHANGES = 1.5;

/**
 * Why a change may be to blame, or not: log odds that add up, with sentences. What it broke shows at its own service, or
 * only at those that deal with it (`atConsumers`): its versions side by side and its own logs speak of the first alone.
 * Both count; the reasons listed are those of the likelier one, whose place carries what the other adds.
 */
export function reasonsFor(
  change: Change,
  candidates: readonly Change[],
  evidence: CaseEvidence,
  options: RankOptions,
): readonly Reason[] {
  const shared = [
    {
      name: "prior",
      logOdds:
        Math.log(FROM_CHANGES / ORDINARY_CHANGES) + priorNats(change, reliedOnBy(change, candidates), options.past),
      sentence:
        "prior: 70 % of outages follow a change, of which one or two are live at a time; by kind, size and history",
    },
    timingReason(change, candidates, evidence, options),
  ];
  const late = isTooLate(change, evidence);
  const inTime = (reasons: readonly (Reason | null)[]) =>
    reasons.filter((one) => one !== null).filter(({ logOdds }) => !(late && logOdds > 0)); // no later sign makes up for that
  const compared = splitOf(change, evidence);
  const split = compared === null ? null : { name: "versions", logOdds: compared.nats, sentence: compared.sentence };
  const own = inTime([
    split,
    // Where the old version alone fails, that it writes the new errors is no sign beside.
    compared?.oldAlone === true ? null : logReason(change, evidence),
    growthReason(change, evidence, split, [change.service]),
    split === null ? shareReason(change, evidence) : null,
    readinessReason(change, evidence.caseFile),
  ]);
  const demand = demandReason(change, evidence);
  const atItself = [placeReason(change, evidence, "fit"), demand, ...own].filter((one) => one !== null);
  const places = showsAt(change, evidence);
  const place = placeReason(change, evidence, "atConsumers");
  if (place.logOdds === Number.NEGATIVE_INFINITY) return [...shared, ...atItself];
  const named = logReason(change, evidence);
  const theirs = inTime([change.flag === undefined ? null : named, growthReason(change, evidence, null, places)]);
  const atConsumers = [place, demand, ...theirs].filter((one) => one !== null);
  const total = logAdd(sumOf(atItself), sumOf(atConsumers));
  const likelier = sumOf(atItself) >= sumOf(atConsumers) ? atItself : atConsumers;
  const rest = total - sumOf(likelier);
  return [...shared, ...likelier.map((one) => (one.name === "place" ? { ...one, logOdds: one.logOdds + rest } : one))];
}

export const sumOf = (reasons: readonly Reason[]): number => reasons.reduce((sum, { logOdds }) => sum + logOdds, 0);

function consumersWords(places: ReadonlySet<string>, told: string): string {
  const service = [...places].join(", ");
  return `degradation that starts at ${service} and shows only at those that deal with it ${told} the affected services and the call graph`;
}

/** It had surely not begun when the trouble did: it cannot be the cause. */
export const isTooLate = ({ startedAt }: Change, { onset, stepMs }: Pick<CaseEvidence, "onset" | "stepMs">): boolean =>
  startedAt > onset.latest + stepMs;

/** Later changes of consumers that cannot serve without what this one brought. */
const reliedOnBy = (change: Change, candidates: readonly Change[]): readonly Change[] =>
  candidates.filter((other) => other.requires?.[change.service] === change.to && other.startedAt >= change.startedAt);

/** A provider's new contract may bite only once a consumer relies on it: the consumer's rollout is a second start. */
function timingReason(
  change: Change,
  candidates: readonly Change[],
  { index, onset, foot, stepMs, caseFile, course, usual }: CaseEvidence,
  { windowMs }: RankOptions,
): Reason {
  const lasted = withEnd(change, { caseFile, index });
  const busier = course === "drift" ? null : busierChance(index, change, onset, usual);
  const timing = { stepMs, windowMs, at: caseFile.at, course, busier };
  const seen = timingEvidence(lasted, onset, timing);
  // What grew may have begun where its slope says, or when it was first seen: each as likely.
  const own = foot === null ? seen : logAdd(seen, timingEvidence(lasted, foot, timing)) - Math.LN2;
  const triggers = reliedOnBy(change, candidates);
  const contract = { ...timing, course: course === "drift" ? course : ("contract" as const) };
  const nats = [own, ...triggers.map((trigger) => timingEvidence(trigger, onset, contract))];
  const logOdds = triggers.length === 0 ? own : logSumExp(nats) - Math.log(nats.length);
  const when = onsetWords(change, onset.at - change.startedAt, !isTooLate(change, { onset, stepMs }));
  const slope = foot === null ? "" : `, or by its slope ${onsetWords(change, foot.at - change.startedAt, true)}`;
  const peak = busier !== null && busier * windowMs > 1 ? ", as its load rose above what it had been since" : "";
  const via = triggers.length === 0 ? "" : `; ${triggers.map(nameOfChange).join(", ")} began to rely on it since`;
  return { name: "timing", logOdds, sentence: `${when}${slope}${peak}${via}` };
}

/** The services at which trouble starts that a change brings: its own, and those that ask for its flag. */
function placesOf({ service, flag }: Change, { origins, caseFile }: CaseEvidence) {
  const asking = caseFile.flags.find(({ key }) => key === flag)?.services ?? [];
  const places = new Set([service, ...asking]);
  return { places, known: origins.filter(({ name, kind }) => kind === "service" && places.has(name)) };
}

/** That a service is asked far more at the onset, which nothing that starts where the change was made brings. */
function demandReason(change: Change, evidence: CaseEvidence): Reason | null {
  const logOdds = Math.max(...placesOf(change, evidence).known.map(({ demand }) => demand));
  if (logOdds === 0 || !Number.isFinite(logOdds)) return null;
  const words = [...evidence.demand].map(([service, one]) => demandWords(service, one));
  return { name: "demand", logOdds, sentence: `${words.join("; ")}; ${nameOfChange(change)} does not bring that` };
}

function placeReason(change: Change, evidence: CaseEvidence, where: "fit" | "atConsumers"): Reason {
  const { origins } = evidence;
  const { places, known } = placesOf(change, evidence);
  const demand = demandReason(change, evidence)?.logOdds ?? 0;
  const fits = known.map((one) => one[where] - demand);
  const anywhere = where === "fit" ? worstFit(origins) : Number.NEGATIVE_INFINITY;
  // A flag may break one of the services that evaluate it, or all that are degraded.
  const broken = [...places].filter((place) => (evidence.harm.get(place) ?? 0) > 0);
  const all = where === "fit" && broken.length > 1 ? [...fits, evidence.startsAtEach(broken)] : fits;
  const byService = all.length === 0 ? anywhere : logSumExp(all) - Math.log(all.length);
  const held = where === "fit" ? heldByCallers(change, evidence) : Number.NEGATIVE_INFINITY;
  const logOdds = logAdd(byService, held);
  if (held > byService)
    return {
      name: "place",
      logOdds,
      sentence: `${change.service} asks ${evidence.usedUp?.service} and may have used up its ${evidence.usedUp?.metric}`,
    };
  const told =
    fits.length === 0 ? "nothing is measured there" : bestFit(origins) - logOdds < 1 ? "fits" : "does not fit";
  if (where === "atConsumers") return { name: "place", logOdds, sentence: consumersWords(places, told) };
  return {
    name: "place",
    logOdds,
    sentence: `degradation that starts at ${[...places].join(", ")} ${told} the affected services and the call graph`,
  };
}

const bestFit = (origins: readonly Origin[]): number =>
  Math.max(...origins.map((one) => Math.max(one.fit, one.atConsumers) - one.demand));

/**
 * What a service has only so much of is used up by itself or by one of those that ask it (who leave connections open, or
 * send more than it can take in): either as often as not. The fit of the service whose failing it led to, shared out.
 */
function heldByCallers({ service }: Change, { usedUp, graph, origins }: CaseEvidence): number {
  const callers = usedUp === null ? null : graph.callers(usedUp.service);
  if (callers === null || !callers.has(service)) return Number.NEGATIVE_INFINITY;
  const at = origins.find(({ name, kind }) => kind === "service" && name === usedUp?.service);
  return at === undefined ? Number.NEGATIVE_INFINITY : at.fit - Math.log(2 * callers.size);
}

/** A service without signals: what is hurt is as likely as if it had started where it fits least badly but one. */
function worstFit(origins: readonly Origin[]): number {
  return origins.find(({ kind }) => kind === "shared")?.fit ?? 0;
}

/** The versions side by side; null where they cannot be compared, or would speak against a change that they cannot acquit. */
export function splitOf(
  change: Change,
  { index, onset, caseFile, worse, overloaded, course }: CaseEvidence,
): VersionSplit | null {
  const split = versionSplit(index, change, onset, caseFile.at, worse.get(change.service) ?? new Set(["error_rate"]));
  if (split === null || change.kind === "flag") return null;
  // What creeps hurts long after both served side by side: that neither was worse then acquits nobody.
  if (split.nats < 0 && course === "drift") return null;
  // What floods a callee, or takes all that the pods share, hurts both versions alike.
  if (split.nats < 0 && [...overloaded.values()].some((callers) => callers.has(change.service))) return null;
  if (split.nats < 0 && isSaturatedByCost(index, change.service, onset, caseFile.at)) return null;
  return split;
}

function logReason(change: Change, { signatures, onset }: CaseEvidence): Reason | null {
  const flagged = signatures.find(({ template }) => change.flag !== undefined && mentions(template, change.flag));
  if (flagged !== undefined)
    return { name: "logs", logOdds: Math.log(12), sentence: `a new error names the flag: "${flagged.template}"` };
  const here = signatures.filter(({ service, names }) => service === change.service && names.length === 0);
  if (change.kind === "flag" || here.length === 0) return null;
  const lines = (of: (version: string) => boolean) =>
    here.reduce((sum, { versions }) => sum + [...versions].reduce((n, [v, k]) => n + (of(v) ? k : 0), 0), 0);
  const fresh = lines((version) => version === change.to);
  const other = lines((version) => version !== change.to);
  const quoted = `"${here[0]?.template ?? ""}"`;
  // Lines carry the version of the program: a pushed configuration has none of its own there.
  if (change.kind !== "deploy" && fresh === 0) return null;
  if (fresh + other === 0) return null;
  if (other === 0 && servedAlone(change, onset))
    return {
      name: "logs",
      logOdds: Math.LN2,
      sentence: `a new error is written, by ${change.to} since no other runs: ${quoted}`,
    };
  if (fresh > 4 * other)
    return { name: "logs", logOdds: Math.log(5), sentence: `a new error is written by ${change.to} alone: ${quoted}` };
  const sentence =
    fresh === 0
      ? `a new error is written by other versions, and not by ${change.to}: ${quoted}`
      : `a new error is also written by other versions than ${change.to}: ${quoted}`;
  return { name: "logs", logOdds: other > fresh ? -Math.log(5) : -Math.log(2), sentence };
}

/**
 * Whether no other version served any more when the trouble began: whatever is written then, the new one writes it. That
 * nobody wrote it before is a sign of new code still, if a weak one: other troubles are as new.
 */
function servedAlone({ startedAt, finishedAt, canary }: Change, { earliest }: CaseEvidence["onset"]): boolean {
  if (finishedAt === null || (canary ?? 1) < 1) return false;
  return Math.max(finishedAt, finishedAt - startedAt < UNTOLD_MS ? startedAt + ORDINARY_ROLLOUT_MS : 0) <= earliest;
}

/** Where both versions are measured side by side they say it better; shapes are then left alone. */
function growthReason(
  change: Change,
  evidence: CaseEvidence,
  split: Reason | null,
  places: readonly string[],
): Reason | null {
  const ramp = split === null ? rampEvidence(change, evidence, places) : null;
  const { index, onset, caseFile } = evidence;
  // What saturates fails by far more than its share, at once.
  // Between the stages of a rollout nothing grows.
  if (ramp !== null && ramp < 0 && isStaged(change, caseFile.at)) return null;
  if (ramp !== null && ramp < 0 && places.some((one) => isSaturatedByCost(index, one, onset, caseFile.at))) return null;
  if (ramp === null || Math.abs(ramp) < 0.1) return null;
  const how = ramp > 0 ? "grows" : "does not grow";
  return { name: "growth", logOdds: shapeNats(ramp, "bad"), sentence: `it ${how} as ${change.to} takes over` };
}

/** Where its versions are not measured side by side, the share that the new one serves bounds what it can fail. */
function shareReason(change: Change, evidence: CaseEvidence): Reason | null {
  const { index, onset, caseFile } = evidence;
  const beyond = failsMoreThanItsShare(change, evidence);
  if (beyond === null || isSaturatedByCost(index, change.service, onset, caseFile.at)) return null;
  const [failed, served] = [beyond.failed, change.canary ?? 1].map((share) => `${(100 * share).toFixed(0)} %`);
  const sentence = `${change.service} failed ${failed} of its requests while ${change.to} was to serve ${served} of them`;
  return { name: "share", logOdds: beyond.nats, sentence };
}

/** Digits were masked in the template; the flag's name is masked the same way. */
function mentions(template: string, flag: string): boolean {
  const key = flag.replaceAll(/\d+(?:[.:,]\d+)*/g, "#");
  const part = /[A-Za-z0-9_#-]/;
  for (let place = template.indexOf(key); place >= 0; place = template.indexOf(key, place + 1)) {
    const [before = "", after = ""] = [template[place - 1], template[place + key.length]];
    if (!part.test(before) && !part.test(after)) return true;
  }
  return false;
}
