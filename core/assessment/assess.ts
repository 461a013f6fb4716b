import type { Config } from "../config/config.ts";
import type { PastOutcomes } from "../correlation/past-outcomes.ts";
import type { PastOnset } from "../correlation/recurrence.ts";
import type { Assessment, CaseFile, SeedStep, StepAnswers } from "../model/assessment.ts";
import { SEED_STEPS } from "../model/assessment.ts";
import type { Decision } from "../model/decision.ts";
import { rfc3339 } from "../model/time.ts";
import { unheardChanges } from "../model/unheard.ts";
import { planTargets } from "../planning/plan-targets.ts";
import { baselines } from "./baselines.ts";
import type { DegradedSpan } from "./before.ts";
import { withPlanned } from "./no-way-back.ts";
import { evidenceAbout, servicesMeant } from "./partition.ts";
import { LOST_WITHOUT, stepAnswers } from "./steps.ts";

export interface AssessOptions {
  /** How often changes of a service and kind were to blame before; absent: nothing is known of it. */
  readonly past?: PastOutcomes;
  /** Earlier degradations without a change to blame, oldest first; absent: nothing is known of any. */
  readonly alone?: readonly PastOnset[];
  /** Versions with bad outcomes in earlier incidents, by service. */
  readonly pastBad?: ReadonlyMap<string, ReadonlySet<string>>;
  /** When earlier incidents degraded which services: no part of what a recovery is compared with. */
  readonly earlier?: readonly DegradedSpan[];
}

/**
 * The whole deterministic result: the configured steps in their order, each given the answers before it, then the
 * plan. Pure. `focus`: services of an episode that is already open; whoever was hurt with them since is added.
 */
export function assess(
  caseFile: CaseFile,
  config: Config,
  focus?: readonly string[],
  options: AssessOptions = {},
): Assessment {
  const services = servicesMeant(caseFile, focus, config.versionLabel);
  const context = {
    services,
    ...(options.past ? { past: options.past } : {}),
    ...(options.alone ? { alone: options.alone } : {}),
  };
  let answers: StepAnswers = {};
  for (const { step } of config.chain) {
    if (isSeedStep(step)) answers = { ...answers, [step]: stepAnswers[step](caseFile, config, answers, context) };
  }
  return conclude(caseFile, config, services, answers, options);
}

/**
 * From the answers of the steps, whoever ran them, to the assessment: the plan that the decision names, what stands in
 * its way, what to compare recovery with, and what nobody checked.
 */
export function conclude(
  whole: CaseFile,
  config: Config,
  services: readonly string[],
  answers: StepAnswers,
  options: AssessOptions = {},
): Assessment {
  const caseFile = evidenceAbout(whole, services, config.versionLabel);
  const decision = answers.recommend_action?.decision ?? undecided(caseFile, services);
  const meant = new Set([...services, ...(answers.check_affected_services?.services ?? [])]);
  const planned = planTargets(decision, caseFile, config, options);
  const window = new Set(answers.identify_recent_deployments?.changeIds ?? []);
  return {
    at: caseFile.at,
    services: [...services],
    findings: caseFile.findings.filter(({ service }) => meant.has(service)),
    conditions: caseFile.conditions.filter(({ service }) => meant.has(service)),
    changes: [...caseFile.changes, ...(caseFile.elsewhere?.changes ?? [])]
      .filter(({ id }) => window.has(id))
      .toSorted((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)),
    ...(caseFile.elsewhere === undefined ? {} : { elsewhere: caseFile.elsewhere.changes.map(({ id }) => id) }),
    answers,
    decision: withPlanned(decision, planned, { caseFile, config, services, answers }),
    targets: planned.targets,
    obstacles: planned.obstacles,
    baselines: baselines(caseFile, [...meant].sort(), config.policies, {
      earlier: options.earlier ?? [],
      suspect: decision.culprit?.changeId ?? likeliest(answers),
    }),
    unverified: unverified(caseFile, config, answers, meant),
    unheard: unheardChanges(caseFile.gaps),
  };
}

/** The change that is more probable than every other one and than none; null: none is. */
function likeliest({ correlate_timing }: StepAnswers): string | null {
  const first = correlate_timing?.ranking.candidates[0];
  return first !== undefined && first.probability > (correlate_timing?.ranking.noChangeProbability ?? 1)
    ? first.changeId
    : null;
}

const isSeedStep = (step: string): step is SeedStep => SEED_STEPS.some((name) => name === step);

function undecided(caseFile: CaseFile, services: readonly string[]): Decision {
  return {
    action: "no_action",
    service: services[0] ?? "",
    culprit: null,
    changeIds: [],
    automatic: false,
    needsPerson: [LOST_WITHOUT.recommend_action],
    why: [LOST_WITHOUT.recommend_action],
    hotfix: null,
    decidedAt: caseFile.at,
  };
}

function unverified(
  caseFile: CaseFile,
  config: Config,
  answers: StepAnswers,
  meant: ReadonlySet<string>,
): readonly string[] {
  const steps = new Set(config.chain.map(({ step }) => step));
  return [
    ...SEED_STEPS.filter((step) => !steps.has(step)).map((step) => LOST_WITHOUT[step]),
    ...caseFile.gaps.map(
      ({ source, what, because, since }) =>
        `${source}: ${what} is unknown${since === undefined ? "" : ` since ${rfc3339(since)}`} (${because})`,
    ),
    ...caseFile.findings
      .filter(({ verdict, service }) => verdict === "unknown" && meant.has(service))
      .map(({ because }) => because),
    ...(answers.evaluate_business_impact?.impact.unknown ?? []),
  ];
}
