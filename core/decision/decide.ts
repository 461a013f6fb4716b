import { CANARY_REASON } from "../canary/ranking.ts";
import type { Config } from "../config/config.ts";
import { untold } from "../correlation/accomplice.ts";
import { BEGAN_TOGETHER } from "../correlation/began-beside.ts";
import { unseenCallees } from "../correlation/callees-seen.ts";
import { noJoinedChange } from "../correlation/elsewhere.ts";
import { isInfrastructure } from "../correlation/infrastructure.ts";
import type { CaseEvidence } from "../correlation/rank.ts";
import { isUntold } from "../correlation/refused.ts";
import { takenBackBy } from "../correlation/replaced.ts";
import { showsAt } from "../correlation/shows-at.ts";
import { calleesGap } from "../correlation/unmeasured-cause.ts";
import { seenByVersion, tellsItsVersion } from "../correlation/version-signs.ts";
import type { CaseFile, StepAnswers } from "../model/assessment.ts";
import { type Candidate, type Compared, isCompared, notComparedText, type Ranking } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { changeName, nameOfChange } from "../model/change-name.ts";
import type { Decision, DecisionAction } from "../model/decision.ts";
import { likelihood, likelihoodBelow } from "../model/likelihood.ts";
import { durationText } from "../model/time.ts";
import { isOfChanges, unheardChanges, unheardText } from "../model/unheard.ts";
import { approvalFacts, askedByExpressions } from "./approval-facts.ts";
import { asBadAsBefore, isNew, NOTHING_BEFORE } from "./as-bad-as-before.ts";
import { degradedBeneath } from "./degraded-beneath.ts";
import { hotfixFor } from "./hotfix.ts";
import { unmeasuredLink } from "./learned-link.ts";
import { withNoOlder, withoutOlderRevision } from "./no-older.ts";
import { outsideCause } from "./outside.ts";
import { isLikeMovedPods, likeWideCause } from "./pods-not-the-version.ts";
import { quietWords } from "./quiet.ts";
import { easedText, isEasing, seemsOver, stillSettling } from "./settling.ts";

export interface DecideInput {
  readonly caseFile: CaseFile;
  readonly config: Config;
  /** The services that this decision speaks of. */
  readonly services: readonly string[];
  readonly answers: StepAnswers;
  readonly evidence: CaseEvidence | null;
  /** What the configured step allows; null: all four. */
  readonly choices: readonly string[] | null;
}

/** Pure: the same evidence and policy give the same decision. Guard clauses in order of force. */
export function decide(input: DecideInput): Decision {
  const { answers, services, caseFile, evidence } = input;
  const ranking = answers.correlate_timing?.ranking ?? null;
  const origin = answers.check_affected_services?.origin ?? ranking?.rootCauses[0]?.service ?? services[0] ?? "";
  const nothing = (why: readonly string[], person: readonly string[] = [], top: Candidate | null = null): Decision => ({
    action: "no_action",
    service: origin,
    culprit: top === null ? null : { changeId: top.changeId, probability: top.probability },
    changeIds: [],
    automatic: isAutomatic(input),
    needsPerson: [...person],
    why: [...why],
    hotfix: null,
    decidedAt: caseFile.at,
  });
  const isWorse = caseFile.findings.some((one) => one.verdict === "worse" && services.includes(one.service));
  if (answers.identify_recent_deployments === undefined && isWorse)
    return nothing(
      ["recent changes were not searched for: identify_recent_deployments is not configured"],
      ["no change can be named"],
    );
  // Where nobody is known to be hurt, whatever is silent may be.
  const isMeant = (service: string) => services.length === 0 || services.includes(service);
  const silent = caseFile.findings.filter((one) => one.verdict === "unknown" && isMeant(one.service));
  if (evidence === null || evidence.worse.size === 0) {
    if (silent.length > 0)
      return nothing(firstOf(silent.map(({ because }) => because)), [
        "services without data are unknown: needs a person to investigate",
      ]);
    return nothing(quietWords(caseFile, services));
  }
  const chronic = asBadAsBefore(caseFile, evidence);
  if (chronic !== null && isNew(caseFile, evidence)) {
    const first = caseFile.changes.flatMap((change) => withoutOlderRevision(change, caseFile.rollouts) ?? []).at(-1);
    const why = [chronic, NOTHING_BEFORE];
    return withNoOlder(nothing(why, ["policy calls it bad, and there is nothing to compare with"]), first);
  }
  if (chronic !== null) return nothing([chronic, noWorse(ranking, caseFile)], ["policy calls it bad"]);
  const pointed = onlyPointedAt(caseFile, evidence);
  if (pointed !== null) return nothing([pointed], ["the samples do not show what somebody points at: needs a person"]);
  if (ranking === null)
    return nothing(["nothing ranked the changes: correlate_timing is not configured"], ["no change can be named"]);
  if (!isCompared(ranking)) return nothing(whyNot(ranking), ["no change can be named"]);
  const top = ranking.candidates[0] ?? null;
  if (top === null || top.probability <= noJoinedChange(ranking))
    return nothing(whyNoChange(ranking, evidence), gapWords(caseFile));
  const change = caseFile.changes.find(({ id }) => id === top.changeId);
  const threshold = answers.correlate_timing?.threshold ?? 0;
  if (change === undefined || top.probability < threshold) {
    const shown = `${changeName(top.changeId, caseFile.changes)} is the most probable change at ${likelihoodBelow(top.probability, threshold)}`;
    const first = change === undefined ? null : withoutOlderRevision(change, caseFile.rollouts);
    const below = nothing([shown, ...sentences(top)], ["the culprit is below the configured confidence"], top);
    return withNoOlder(below, first);
  }
  // Whatever confidence is configured: timing alone never decides where a callee that nobody sees would look the same.
  const unseen = tellsItsVersion(change, top.reasons, evidence) ? [] : unseenCallees(change, evidence);
  if (unseen?.length !== 0) {
    const shown = `nothing but its time speaks against ${nameOfChange(change)}, and ${calleesGap(change.service, unseen)}`;
    return nothing([shown, ...sentences(top)], [`nothing tells ${change.to} from ${change.from}: needs a person`], top);
  }
  if (isLikeMovedPods(change, top, evidence)) {
    const moved = caseFile.moved ?? [];
    const shown = `pods of ${moved.length} services that nobody changed (${firstOf(moved).join(", ")}) were not ready within ten minutes, as where nodes are drained`;
    return nothing(
      [shown, ...sentences(top)],
      [`nothing tells ${change.to} from pods that are moved: needs a person`],
      top,
    );
  }
  const wide = likeWideCause(change, evidence);
  if (wide !== null)
    return nothing(
      [wide, ...sentences(top)],
      [`nothing tells ${change.to} from where its pods run, or from their start: needs a person`],
      top,
    );
  // A version found worse beside the stable one, both serving, is so whatever the service as a whole shows just now.
  if (top.reasons.some(({ name }) => name === CANARY_REASON)) return act(input, evidence, top, change);
  if (seemsOver(evidence)) return nothing([easedText(caseFile, input.services)], [], top);
  if (onlyItsTime(change, top, evidence)) {
    const shown = `nothing but its time and who calls whom speaks against ${nameOfChange(change)}`;
    return nothing([shown, ...sentences(top)], [`nobody saw ${change.service} itself do worse: needs a person`], top);
  }
  const beneath = degradedBeneath(change, top, evidence);
  if (beneath !== null) {
    const shown = `nothing but its time speaks against ${nameOfChange(change)}, and ${beneath}`;
    return nothing(
      [shown, ...sentences(top)],
      [`nothing tells ${nameOfChange(change)} from what it calls: needs a person`],
      top,
    );
  }
  if (
    servedSoundly(change, top, evidence) !== null &&
    isUntold(evidence.refused.get(change.service), evidence.onset, caseFile.at)
  )
    return nothing(
      [
        `waiting: whether what fails at ${change.service} came in addition to what is usually asked there will show soon`,
      ],
      [],
      top,
    );
  const settling = stillSettling(change, top, evidence) ?? isEasing(evidence);
  if (settling !== null) return nothing([`waiting: ${settling}`], [], top);
  const recent = withIds(caseFile, answers.identify_recent_deployments?.changeIds ?? []);
  const standing = recent.filter((one) => takenBackBy(one, caseFile.changes, caseFile.at) === undefined);
  const partner = untold(change, standing, evidence);
  if (partner !== null)
    return nothing(
      [`waiting: whether ${nameOfChange(partner)} is a culprit too will show while ${nameOfChange(change)} rolls out`],
      [],
      top,
    );
  return act(input, evidence, top, change);
}

const whyNot = (ranking: Ranking): readonly string[] => [notComparedText(ranking) ?? "no change could be compared"];

/** The first of many sentences that say much the same, and how many there are besides. */
function firstOf(sentences: readonly string[]): readonly string[] {
  const more = sentences.length - MOST_SAID;
  return more <= 0 ? sentences : [...sentences.slice(0, MOST_SAID), `and ${more} more like these`];
}
const MOST_SAID = 10;

const withIds = ({ changes }: CaseFile, ids: readonly string[]): readonly Change[] =>
  changes.filter(({ id }) => ids.includes(id));

/** Why what is as bad as before blames no change, beside a ranking that may name one by its time alone. */
function noWorse(
  ranking: NonNullable<StepAnswers["correlate_timing"]>["ranking"] | null,
  { changes }: CaseFile,
): string {
  const top = ranking?.candidates[0];
  if (top === undefined || ranking === null || !isCompared(ranking) || top.probability <= noJoinedChange(ranking))
    return "it is within its baseline, so that no change is the culprit";
  return `it is within its baseline, as far back as it is measured: what speaks for ${changeName(top.changeId, changes)} is not enough to attribute it to that change`;
}

/**
 * Whether a change that shows only at those that deal with its service has nothing else against it: none of them names the
 * service in a new error, none gets through to it less often, the harm does not grow with its rollout, and no two of them
 * are hurt at once. Then it is as likely as it is by the time at which it came alone.
 */
function onlyItsTime(change: Change, top: Candidate, evidence: CaseEvidence): boolean {
  const places = showsAt(change, evidence);
  if (places.includes(change.service) || places.length > 1) return false;
  const named = evidence.signatures.some((one) => places.includes(one.service) && one.names.includes(change.service));
  const told = top.reasons.some(({ name, logOdds }) => !FROM_TIME_AND_PLACE.has(name) && logOdds > 0);
  return !named && !told && !evidence.starved.has(change.service);
}
const FROM_TIME_AND_PLACE: ReadonlySet<string> = new Set(["prior", "timing", "place", "joined"]);

/** Evidence of 20 to 1 is the least that counts as seen. */
const SEEN_NATS = Math.log(20);

/** What somebody points at while no sample of any service shows it: what says so, or null. */
function onlyPointedAt({ findings }: CaseFile, { worse }: CaseEvidence): string | null {
  const told = findings.filter((one) => one.verdict === "worse" && worse.get(one.service)?.has(one.metric) === true);
  const seen = told.some(({ detector, strength }) => detector !== "pointed-at" || strength >= SEEN_NATS);
  return seen ? null : (told[0]?.because ?? null);
}

function act(input: DecideInput, evidence: CaseEvidence, top: Candidate, change: Change): Decision {
  const { caseFile, answers, config, choices } = input;
  const order = answers.check_dependency_graph?.order ?? [change.id];
  const chosen = order.map((id) => caseFile.changes.find((one) => one.id === id)).filter((one) => one !== undefined);
  const unsafe = whyUnsafe(chosen.length > 0 ? chosen : [change]);
  const wanted: DecisionAction =
    unsafe !== null ? "hotfix_recommendation" : change.kind === "flag" ? "feature_flag_disable" : "rollback";
  const why = [
    `${changeName(change.id, caseFile.changes)} is the culprit with probability ${likelihood(top.probability)}`,
    ...sentences(top),
    ...(answers.check_dependency_graph?.because ?? []).filter((text) => !isSaid(text, top)),
    ...(unsafe === null ? [] : [unsafe]),
  ];
  const culprit = { changeId: top.changeId, probability: top.probability };
  const base = { service: change.service, culprit, automatic: isAutomatic(input), decidedAt: caseFile.at };
  if (choices !== null && !choices.includes(wanted)) {
    const person = [`${wanted} is not among the choices of recommend_action`];
    return { ...base, action: "no_action", changeIds: [], needsPerson: person, why, hotfix: null };
  }
  if (unsafe !== null) {
    const together = chosen.length > 0 ? chosen.map(({ id }) => id) : [change.id];
    const hotfix = hotfixFor(chosen.find(isUnsafe) ?? change, together, unsafe, evidence);
    const needsPerson = [unsafe];
    return { ...base, action: wanted, changeIds: [], needsPerson, why, hotfix };
  }
  const sound = servedSoundly(change, top, evidence);
  const { graph, onset } = evidence;
  const degraded = new Set(evidence.worse.keys());
  const link = unmeasuredLink({ culprit: change.service, degraded, graph, onset: onset.earliest });
  const needsPerson = [
    ...reasonsForPerson(input, top, evidence),
    ...(sound === null ? [] : [sound]),
    ...(link === null ? [] : [link]),
    ...(base.automatic ? [] : [noAutomatic(input)]),
  ];
  return { ...base, action: wanted, changeIds: chosen.map(({ id }) => id), needsPerson, why, hotfix: null };
  function noAutomatic({ caseFile: { conditions } }: DecideInput): string {
    const pending = conditions.find((one) => one.state === "pending" && isAutomaticPolicy(config, one.policy));
    return pending === undefined
      ? "no automatic policy condition holds"
      : `no automatic policy condition holds yet: ${pending.text} is pending`;
  }
}

/** Twenty to one, and a rollout that is over for longer than most trouble of a rollout takes to show. */
const SURE = 0.95;
const SERVED_MS = 5 * 60_000;

/**
 * Why a person must confirm: the change had served soundly for minutes before the trouble began at once, and nothing
 * beside its time and its place speaks against it. What begins at such a service by itself (a client's habits, a node)
 * looks the same. Null where something does, where it is surer than twenty to one, or where the trouble crept.
 */
function servedSoundly(change: Change, top: Candidate, evidence: CaseEvidence): string | null {
  const end = change.finishedAt ?? evidence.caseFile.at;
  const servedMs = evidence.onset.earliest - end;
  if (evidence.course !== "shift" || servedMs < SERVED_MS || top.probability >= SURE) return null;
  if (top.reasons.some(({ name, logOdds }) => !FROM_TIME_AND_PLACE.has(name) && logOdds > 0)) return null;
  return `${nameOfChange(change)} had served for ${durationText(servedMs)} at the onset, and nothing but its time and its place speaks against it`;
}

const isUnsafe = (change: Change): boolean => change.kind === "migration" || !change.reversible;

/** Why taking these back is not for a machine, or null. */
function whyUnsafe(changes: readonly Change[]): string | null {
  const migration = changes.find(({ kind }) => kind === "migration");
  if (migration !== undefined)
    return `${nameOfChange(migration)} is a migration: data written since would not fit what it replaced`;
  const oneWay = changes.find(({ reversible }) => !reversible);
  if (oneWay !== undefined) return `${nameOfChange(oneWay)} is marked irreversible`;
  const switchedOff = changes.find((one) => one.kind === "flag" && one.to === "off");
  return switchedOff === undefined
    ? null
    : `${nameOfChange(switchedOff)} switched a flag off: there is nothing to disable`;
}

const sentences = (candidate: Candidate): string[] =>
  candidate.reasons.filter(({ name }) => name !== "prior").map(({ sentence }) => sentence);

/** Whether a sentence of the candidate says it already, and more. */
const isSaid = (text: string, candidate: Candidate): boolean =>
  sentences(candidate).some((sentence) => sentence.startsWith(`${text}: `));

const isAutomaticPolicy = (config: Config, policy: string): boolean =>
  config.policies.some(({ name, action }) => name === policy && action === "rollback_immediate");

/** An automatic policy's condition fires for one of the services that this decision speaks of. */
export function isAutomatic({ caseFile, config, services, answers }: DecideInput): boolean {
  const meant = new Set([...services, ...(answers.check_affected_services?.services ?? [])]);
  return caseFile.conditions.some(
    (one) => one.state === "firing" && meant.has(one.service) && isAutomaticPolicy(config, one.policy),
  );
}

function reasonsForPerson(
  { config, answers, caseFile, services }: DecideInput,
  top: Candidate,
  evidence: CaseEvidence,
): readonly string[] {
  const meant = new Set([...services, ...(answers.check_affected_services?.services ?? [])]);
  const facts = approvalFacts({
    answers,
    findings: caseFile.findings.filter(({ service }) => meant.has(service)),
    conditions: caseFile.conditions.filter(({ service }) => meant.has(service)),
    probability: top.probability,
    targets: answers.check_dependency_graph?.order.length ?? 1,
  });
  const chain = config.chain.filter(({ step }) => step === "recommend_action");
  const needed = seenByVersion([top]).has(top.changeId) ? neededMetrics(evidence) : null;
  return [...gapWords(caseFile, needed), ...askedByExpressions(chain, facts)];
}

/**
 * A source of metrics or changes that did not answer could have named another cause. Logs, traces and the rest only
 * sharpen what these two say; without them the probability is lower by itself. So is what a source leaves out that did
 * answer: it speaks against "no change" (see `unheardChanges`), and not for another culprit than the one that is seen; nor
 * does what is missing of single services hold what is decided of others. Where it is uncertain when changes began, their order is no
 * proof: another one may have come first. `needed`: the metrics without which nothing is
 * known; null: all.
 */
function gapWords({ gaps }: CaseFile, needed: ReadonlySet<string> | null = null): readonly string[] {
  return gaps
    .filter((gap) => {
      if (isOfChanges(gap)) return gap.how !== "partial";
      const isNeeded = gap.metric === undefined || needed?.has(gap.metric) !== false;
      return gap.of === "metrics" && gap.services === undefined && isNeeded;
    })
    .map(unheardText);
}

/**
 * Where the new version is seen to be worse beside the old one, both serving, no other metric could have named another
 * cause: what is needed is what is degraded, and how many requests there were and failed.
 */
const neededMetrics = ({ worse }: CaseEvidence): ReadonlySet<string> =>
  new Set(["request_rate", "error_rate", ...[...worse.values()].flatMap((metrics) => [...metrics])]);

function whyNoChange(ranking: Compared, evidence: CaseEvidence): readonly string[] {
  const outside = outsideCause(evidence);
  // Where a node outside is named, the ranking's guess at a place would only contradict it.
  const silent = ["prior", BEGAN_TOGETHER, ...(outside === null ? [] : ["place"])];
  const said = ranking.noChangeReasons.filter(({ name }) => !silent.includes(name)).map(({ sentence }) => sentence);
  const best = ranking.candidates.find((one) => !isInfrastructure(one));
  const ground = ranking.candidates.find(isInfrastructure);
  const against = best === undefined ? ["no change is in the window"] : sentences(best);
  const traffic = evidence.surge === null ? [] : [`users send ${evidence.surge.toFixed(1)} times the baseline traffic`];
  const unheard = unheardChanges(evidence.caseFile.gaps);
  if (unheard.length > 0)
    return [
      "no change that is known explains it, and whether there is another is not known",
      ...unheard,
      ...traffic,
      ...(outside?.sentences ?? []),
    ];
  const together = ranking.noChangeReasons.find(({ name }) => name === BEGAN_TOGETHER);
  return [
    ...(together === undefined ? [] : [together.sentence]),
    ground === undefined
      ? `no change is the culprit with probability ${likelihood(ranking.noChangeProbability)}`
      : `no change of a service is the culprit with probability ${likelihood(noJoinedChange(ranking))}`,
    ...(ground === undefined ? [] : sentences(ground)),
    ...traffic,
    ...(outside?.sentences ?? []),
    ...said,
    ...against.map((sentence) =>
      best === undefined ? sentence : `${changeName(best.changeId, evidence.caseFile.changes)}: ${sentence}`,
    ),
  ];
}
