import { judgeLiveCanaries } from "../canary/live.ts";
import { withFailedCanaries } from "../canary/ranking.ts";
import type { ChainStep, Config } from "../config/config.ts";
import { type Accomplice, accomplices } from "../correlation/accomplice.ts";
import { createCallGraph } from "../correlation/call-graph.ts";
import { withElsewhere } from "../correlation/elsewhere.ts";
import { exhaustion } from "../correlation/exhaustion.ts";
import { HARM_CERTAIN, harmAsOrigin, harmByService } from "../correlation/harm.ts";
import { isInfrastructure, withInfrastructure } from "../correlation/infrastructure.ts";
import { SURE_NATS, withEnd } from "../correlation/passing.ts";
import type { PastOutcomes } from "../correlation/past-outcomes.ts";
import { gatherEvidence, rankCandidates } from "../correlation/rank.ts";
import type { PastOnset } from "../correlation/recurrence.ts";
import { takenBackBy } from "../correlation/replaced.ts";
import { indexSeries } from "../correlation/samples.ts";
import { sharedChange } from "../correlation/shared-change.ts";
import { slowBeside, slownessByService } from "../correlation/slowness.ts";
import { isCreeping } from "../correlation/trouble.ts";
import { seenByVersion } from "../correlation/version-signs.ts";
import { asBadAsBefore, isNew, NOTHING_BEFORE } from "../decision/as-bad-as-before.ts";
import { coverageOf } from "../decision/coverage.ts";
import { decide } from "../decision/decide.ts";
import { quietWords } from "../decision/quiet.ts";
import { assessImpact, hurtServices } from "../impact/impact.ts";
import type { CaseFile, SeedStep, StepAnswers } from "../model/assessment.ts";
import { notCompared } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { Onset } from "../model/finding.ts";
import { durationText } from "../model/time.ts";
import { coordinate } from "../planning/coordinate.ts";
import { undoRelease } from "../planning/undo-release.ts";
import { episodeOnset, harmFindings } from "./episodes.ts";
import { withGrown } from "./grown.ts";
import { withoutSecondGuess } from "./not-helped.ts";
import { evidenceAbout, servicesMeant } from "./partition.ts";
import { CHANGE_WINDOW_MS } from "./scope.ts";
import { withoutTakenBack } from "./taken-back.ts";

/** Where a step's text names no window: the seed's thirty minutes. */
/** A drift is noticed long after it began to matter: changes of the last six hours may be behind it. */
const DRIFT_WINDOW_MS = 6 * 3_600_000;
/** What a change brought may come due hours later: those of services that are hurt themselves are weighed for so long. */
const LATENT_WINDOW_MS = 3 * 3_600_000;

export interface StepContext {
  /** The services of the episode; without it, the gravest episode of the case. */
  readonly services?: readonly string[];
  readonly past?: PastOutcomes;
  /** Earlier degradations without a change to blame. */
  readonly alone?: readonly PastOnset[];
}

interface StepInput {
  readonly caseFile: CaseFile;
  readonly config: Config;
  readonly answers: StepAnswers;
  readonly services: readonly string[];
  readonly past: PastOutcomes | undefined;
  readonly alone: readonly PastOnset[] | undefined;
}

type Answer<S extends SeedStep> = NonNullable<StepAnswers[S]>;
/** `known`: the checked answers of the steps before, which is all that a step gets from them. */
export type StepFunction<S extends SeedStep> = (
  caseFile: CaseFile,
  config: Config,
  known: StepAnswers,
  context?: StepContext,
) => Answer<S>;

const step =
  <S extends SeedStep>(answer: (input: StepInput) => Answer<S>): StepFunction<S> =>
  (whole, config, known, context = {}) => {
    const services = context.services ?? servicesMeant(whole, undefined, config.versionLabel);
    const caseFile = evidenceAbout(whole, services, config.versionLabel);
    return answer({ caseFile, config, answers: known, services, past: context.past, alone: context.alone });
  };

/** The deterministic answer of each of the seed's steps; each may be called by itself, in the chain's order. */
export const stepAnswers: { readonly [S in SeedStep]: StepFunction<S> } = {
  identify_recent_deployments: step(identify),
  correlate_timing: step(correlate),
  check_affected_services: step(affected),
  check_dependency_graph: step(dependencies),
  evaluate_business_impact: step(impact),
  recommend_action: step(recommend),
};

/** The same steps with what came of earlier changes and incidents bound to them, as it is known when one is asked. */
export function stepsWith(past: () => Pick<StepContext, "past" | "alone">): typeof stepAnswers {
  const bound = Object.entries(stepAnswers).map(([name, answer]) => [
    name,
    (...[caseFile, config, known, context]: Parameters<typeof answer>) => {
      return answer(caseFile, config, known, { ...context, ...past() });
    },
  ]);
  return Object.fromEntries(bound) as typeof stepAnswers;
}

const configured = (config: Config, name: SeedStep): ChainStep | undefined =>
  config.chain.find(({ step }) => step === name);

function identify({ caseFile, config, services }: StepInput): Answer<"identify_recent_deployments"> {
  const findings = harmFindings(caseFile, new Set(services));
  const index = indexSeries(caseFile.series, config.versionLabel);
  const onset = episodeOnset(findings, index, caseFile.changes);
  const asked = configured(config, "identify_recent_deployments")?.windowMs ?? CHANGE_WINDOW_MS;
  const creeping = isCreeping(findings, index) || exhaustion(findings, index, caseFile.changes) !== null;
  const windowMs = creeping ? Math.max(asked, DRIFT_WINDOW_MS) : asked;
  const widened =
    windowMs === asked ? null : `a drift is noticed late: ${durationText(windowMs)} instead of ${durationText(asked)}`;
  if (onset === null) return { onset, windowMs, widened, changeIds: [] };
  const from = onset.earliest - windowMs;
  const hurt = new Set(services);
  const earlier = onset.earliest - Math.max(windowMs, LATENT_WINDOW_MS);
  const endFor = (change: Change) => withEnd(change, { caseFile, index }).finishedAt ?? caseFile.at;
  const recent = caseFile.changes.filter((change) => {
    const end = endFor(change);
    const isRecent = end >= from || (end >= earlier && hurt.has(change.service));
    return change.ownRollback !== true && change.startedAt <= caseFile.at && isRecent;
  });
  const late = recent.some((change) => endFor(change) < from);
  const lookedBack = late
    ? `what a change brought may come due late: ${durationText(LATENT_WINDOW_MS)} for affected services`
    : widened;
  const elsewhere = (caseFile.elsewhere?.changes ?? []).filter(
    ({ startedAt, finishedAt }) => startedAt <= caseFile.at && (finishedAt ?? caseFile.at) >= from,
  );
  const changeIds = [...recent, ...elsewhere].toSorted((a, b) => a.startedAt - b.startedAt).map(({ id }) => id);
  return { onset, windowMs, widened: lookedBack, changeIds };
}

/** From which probability on a change is the culprit, by the file; 0.8 where it does not say, as in the seed's file. */
export const thresholdOf = (config: Pick<Config, "chain">): number =>
  config.chain.find(({ step }) => step === "correlate_timing")?.confidenceThreshold ?? 0.8;

function correlate({ caseFile, config, answers, services, past, alone }: StepInput): Answer<"correlate_timing"> {
  const threshold = thresholdOf(config);
  const window = answers.identify_recent_deployments;
  if (window === undefined || window.onset === null) {
    const sentence =
      window === undefined
        ? "no step searched for recent changes"
        : `${quietWords(caseFile, services).join("; ")}: there is no onset to compare with`;
    return { ranking: notCompared(sentence), threshold, reached: false };
  }
  const ids = new Set(window.changeIds);
  const candidates = caseFile.changes.filter(({ id }) => ids.has(id));
  const options = {
    versionLabel: config.versionLabel,
    windowMs: window.windowMs,
    ...(past ? { past } : {}),
    ...(alone ? { alone } : {}),
  };
  const ranked = rankCandidates(caseFile, candidates, window.onset, new Set(services), options);
  const evidence = gatherEvidence(caseFile, window.onset, new Set(services), options);
  const canaries = judgeLiveCanaries(caseFile, config);
  // Versions side by side are compared with each other; all else with what was before, and there is none of that here.
  if (canaries.length === 0 && asBadAsBefore(caseFile, evidence) !== null && isNew(caseFile, evidence))
    return { ranking: notCompared(NOTHING_BEFORE, ranked.rootCauses), threshold, reached: false };
  const { stepMs, course } = evidence;
  const elsewhere = caseFile.elsewhere && {
    ...caseFile.elsewhere,
    changes: caseFile.elsewhere.changes.filter(({ id }) => ids.has(id)),
  };
  const timing = { stepMs, course, windowMs: window.windowMs, at: caseFile.at };
  const all = withElsewhere(ranked, elsewhere, window.onset, timing);
  const judged = withFailedCanaries(all, canaries);
  const ranking = withInfrastructure(judged, caseFile.infrastructure ?? [], window.onset, timing);
  const best = ranking.candidates.find((one) => !isInfrastructure(one));
  return { ranking, threshold, reached: (best?.probability ?? 0) >= threshold };
}

function affected({ caseFile, config, answers, services }: StepInput): Answer<"check_affected_services"> {
  const meant = new Set(services);
  const window = answers.identify_recent_deployments;
  const origin = answers.correlate_timing?.ranking.rootCauses[0]?.service ?? null;
  const beside = onlySlow(caseFile, config, window?.onset ?? null, origin);
  const hurt = hurtServices(caseFile, config.versionLabel).filter(
    (service) => meant.has(service) && !beside.has(service),
  );
  const measured = origin !== null && caseFile.series.some(({ service }) => service === origin);
  const all = new Set([...hurt, ...(origin !== null && (measured || hurt.length === 0) ? [origin] : [])]);
  if (window !== undefined && window.onset !== null && hurt.length > 0)
    for (const service of alsoHurt(caseFile, config, window.onset, origin)) all.add(service);
  return { services: services.length === 0 ? [] : [...all].sort(), origin };
}

/** Services that are slow beside the trouble, not because of it; none where the origin has no place in the call graph. */
function onlySlow(caseFile: CaseFile, config: Config, onset: Onset | null, origin: string | null): ReadonlySet<string> {
  const graph = createCallGraph(caseFile.topology);
  const placed = origin !== null && graph.known && (graph.ancestors(origin).size > 0 || graph.entries.has(origin));
  if (onset === null || !placed) return new Set();
  const index = indexSeries(caseFile.series, config.versionLabel);
  const harm = harmByService(index, caseFile.findings, onset, caseFile.at);
  const slowness = slownessByService(index, caseFile.findings, onset, caseFile.at, harm);
  const suffer = graph.ancestors(origin);
  return slowBeside(slowness, (service) => service === origin || suffer.has(service));
}

/**
 * Services that suffer with the origin, which the onset, now that it is known, shows to be hurt before their own test is
 * sure: how many are hurt must not be counted low just because it is early. Odds of twenty to one, for all services
 * together (Bonferroni), by the kind of harm that was found: errors where requests fail.
 */
function alsoHurt(caseFile: CaseFile, config: Config, onset: Onset, origin: string | null): readonly string[] {
  const index = indexSeries(caseFile.series, config.versionLabel);
  const harm = harmByService(index, caseFile.findings, onset, caseFile.at);
  const failing = harmAsOrigin(index, caseFile.findings, onset, caseFile.at, harm);
  const graph = createCallGraph(caseFile.topology);
  const suffer = origin === null ? new Set<string>() : graph.ancestors(origin);
  const sure = Math.min(HARM_CERTAIN, SURE_NATS + Math.log(Math.max(1, harm.size)));
  return [...failing]
    .filter(([service, nats]) => nats >= sure && (service === origin || suffer.has(service)))
    .map(([service]) => service);
}

function dependencies(input: StepInput): Answer<"check_dependency_graph"> {
  const { caseFile, answers } = input;
  const top = answers.correlate_timing?.ranking.candidates[0];
  const change = caseFile.changes.find(({ id }) => id === top?.changeId);
  if (change === undefined) return { order: [], because: [] };
  const joined = alsoGuilty(input, change);
  const release = undoRelease(change.id, sharedChange(caseFile.changes), caseFile.changes, new Set(affectedBy(input)));
  const parts = (release?.changeIds ?? []).flatMap((id) => caseFile.changes.filter((one) => one.id === id));
  const stands = (one: Change) => takenBackBy(one, caseFile.changes, caseFile.at) === undefined;
  const together = new Set([change, ...joined.map((one) => one.change), ...parts].filter(stands));
  const { order, because } = coordinate([...together], caseFile.changes, caseFile.at);
  return {
    order,
    because: [
      ...because,
      ...(release?.notes ?? []),
      ...joined.map(({ change: partner, sentence }) => `${nameOfChange(partner)} is a culprit too: ${sentence}`),
    ],
  };
}

/** The affected services, as far as the step that looks for them was configured. */
const affectedBy = ({ answers, services }: StepInput): readonly string[] =>
  answers.check_affected_services?.services ?? services;

/**
 * Changes that are guilty together with the likeliest one, each by itself as surely as the configured confidence asks. What
 * is taken back already is none: there is nothing of it to undo.
 */
function alsoGuilty({ caseFile, config, answers, services }: StepInput, culprit: Change): readonly Accomplice[] {
  const window = answers.identify_recent_deployments;
  const answer = answers.correlate_timing;
  if (window === undefined || window.onset === null || answer === undefined) return [];
  const options = { versionLabel: config.versionLabel, windowMs: window.windowMs };
  const evidence = gatherEvidence(caseFile, window.onset, new Set(services), options);
  const ranked = answer.ranking.candidates.flatMap(({ changeId, reasons }) => {
    const change = caseFile.changes.find(({ id }) => id === changeId);
    return change === undefined ? [] : [{ change, reasons }];
  });
  const sure = Math.log(answer.threshold / Math.max(1e-9, 1 - answer.threshold));
  return accomplices(culprit, ranked, evidence).filter(
    ({ change, logOdds }) => logOdds >= sure && takenBackBy(change, caseFile.changes, caseFile.at) === undefined,
  );
}

function impact({ caseFile, config, answers, services }: StepInput): Answer<"evaluate_business_impact"> {
  const affected = answers.check_affected_services?.services ?? null;
  if (affected === null || affected.length > 0) return { impact: assessImpact(caseFile, config, affected) };
  // Nobody is known to be affected, which is no low impact where nobody could know.
  const { signals, because } = coverageOf(caseFile, { services: {} }, services);
  return { impact: assessImpact(caseFile, config, affected, signals === "measured" ? [] : because) };
}

function recommend({ caseFile, config, answers, services }: StepInput): Answer<"recommend_action"> {
  const window = answers.identify_recent_deployments;
  const options = { versionLabel: config.versionLabel, windowMs: window?.windowMs ?? CHANGE_WINDOW_MS };
  const onset = window?.onset ?? null;
  const evidence = onset === null ? null : gatherEvidence(caseFile, onset, new Set(services), options);
  const choices = configured(config, "recommend_action")?.choices ?? null;
  const decision = decide({ caseFile, config, services, answers, evidence, choices });
  const seen = seenByVersion(answers.correlate_timing?.ranking.candidates ?? []);
  const { ranking, threshold = 1 } = answers.correlate_timing ?? {};
  const sure = (ranking?.candidates ?? []).filter(({ probability }) => probability >= threshold);
  const kept = withoutSecondGuess(withoutTakenBack(decision, caseFile, sure), onset, caseFile, seen);
  return { decision: withGrown(kept, harmFindings(caseFile, new Set(services)), seen) };
}

/** What is lost where a step is left out, in words. */
export const LOST_WITHOUT: Readonly<Record<SeedStep, string>> = {
  identify_recent_deployments: "recent changes were not searched for: no change could be named",
  correlate_timing: "changes were not compared: no culprit could be named",
  check_affected_services: "affected services were not searched for: how many are affected is unknown",
  check_dependency_graph: "the dependency graph was not checked: only the culprit itself is planned",
  evaluate_business_impact: "business impact was not evaluated: it is unknown",
  recommend_action: "no step recommends an action: needs a person",
};
