import { SEED_STEPS } from "../../model/assessment.ts";
import { DecisionAction } from "../../model/decision.ts";
import { durationText } from "../../model/time.ts";
import type { ChainStep, Config } from "../config.ts";
import { formatDuration } from "../durations.ts";
import { listed, type Section, under } from "./words.ts";

/** What later steps lack when a step is left out of the chain. */
const LOSSES: Readonly<Record<string, string>> = {
  identify_recent_deployments: "no change is read, so none can be found to be the culprit",
  correlate_timing: "no change is found more probable than another, so nothing is rolled back without a person",
  check_affected_services: "how many services are affected is unknown",
  check_dependency_graph: "what must be rolled back together is unknown",
  evaluate_business_impact: "business_impact is unknown",
  recommend_action: "nothing is ever recommended",
};

/** Step by step: the window, the threshold, the choices, and when a person must agree. */
export function explainChain(config: Config): Section {
  const missing = SEED_STEPS.filter((step) => !config.chain.some((one) => one.step === step));
  return {
    heading: "How it decides",
    lines: [
      ...config.chain.flatMap((step, index) => stepLines(step, index + 1)),
      ...missing.map((step) => `CAUTION: the chain has no ${step}: ${LOSSES[step]}.`),
      ...unanswered(config),
      ...modelLines(config),
    ],
  };
}

/** Only a model answers a step that the file invented. */
function unanswered({ chain, model }: Config): readonly string[] {
  const own = chain.filter(({ prompt }) => prompt !== undefined).map(({ step }) => step);
  if (own.length === 0 || model !== null) return [];
  return [`CAUTION: ${listed(own)} ${own.length === 1 ? "has" : "have"} no answer without a model.`];
}

function stepLines(step: ChainStep, number: number): readonly string[] {
  const facts = [
    ...(step.windowMs === null
      ? []
      : [
          `It searches back ${formatDuration(step.windowMs)} from the earliest credible onset; a change still rolling out then counts.`,
        ]),
    ...(step.confidenceThreshold === null
      ? []
      : [
          `A change must be at least ${step.confidenceThreshold} probable (${Number((step.confidenceThreshold * 100).toPrecision(6))} %) to be rolled back without a person.`,
        ]),
    ...(step.step === "recommend_action" ? choiceLines(step) : []),
    ...(step.prompt === undefined ? [] : [`A step of your own, for a model alone; it is asked: ${step.prompt}`]),
    ...(step.requireHumanApprovalIf === null
      ? []
      : [`A person must agree if ${step.requireHumanApprovalIf.text}, or if one of these is not known.`]),
  ];
  return [`${number}. ${step.step}: ${step.action}`, ...under(under(facts))];
}

function choiceLines({ choices }: ChainStep): readonly string[] {
  const offered = choices ?? DecisionAction.options;
  const left = DecisionAction.options.filter((action) => !offered.includes(action));
  return [`It chooses among ${listed(offered)}.${left.length === 0 ? "" : ` Never: ${listed(left)}.`}`];
}

function modelLines({ model }: Config): readonly string[] {
  if (model === null) return ["No model: the deterministic reasoner takes every step."];
  const where = model.baseUrl === null ? "" : ` at ${model.baseUrl}`;
  const { budget } = model;
  const cost = budget.cost === null ? "" : `, a cost of ${budget.cost}`;
  const holds = model.mayHold
    ? [
        `may_hold: an automatic action waits for its opinion, at most ${durationText(budget.timeMs)} and one evaluation; a doubt turns it into a question to people. It still causes nothing.`,
      ]
    : [];
  return [
    `Model: ${model.model} (${model.provider}${where}) reads and argues beside the deterministic reasoner, which takes every step too. ${model.mayHold ? "It causes nothing." : "It holds and causes nothing; its doubt becomes a question to people."}`,
    `One run of it may use ${budget.tokens} tokens, ${budget.turns} requests, ${durationText(budget.timeMs)}${cost}; spent, the deterministic result is kept.`,
    ...holds,
    `It gets to read: names, figures, changes with their authors, commit messages and files, lines of logs, spans, alerts, and past incidents, each without what resembles a secret${model.mayReadCode ? "; may_read_code: excerpts of diffs too" : ", and no code (may_read_code)"}.`,
  ];
}
