import type { StepAnswers } from "../../core/model/assessment.ts";
import type { Decision } from "../../core/model/decision.ts";
import { leading } from "./compare.ts";

/** What follows from the core's decision and the model's opinion (S12). */
export interface Settled {
  /** The core's decision; at most a question to people was added to `needsPerson`. Never more than the core decided. */
  readonly decision: Decision;
  /** What the model thinks, for the record and the page. */
  readonly opinions: readonly string[];
  /** What people should be asked. Empty: nothing. */
  readonly questions: readonly string[];
  /** Doubts that hold an action which would otherwise be automatic; empty unless `model.may_hold`. */
  readonly holds: readonly string[];
}

export interface SettleOptions {
  /** `confidence_threshold` of correlate_timing. */
  readonly threshold: number;
  /** `model.may_hold`. */
  readonly mayHold: boolean;
}

/** The opinion of a model that has no doubt. */
export const MODEL_AGREES = "the model agrees";

/**
 * S12 as a function. Where an automatic condition holds and the core's probability reaches the threshold, the model's
 * opinion is recorded and changes nothing (unless it may hold). Everywhere else its doubt, or its wish for more than
 * the core supports, becomes a question to people. Total and pure: an absent model changes nothing.
 */
export function settle(core: StepAnswers, model: StepAnswers | null, options: SettleOptions): Settled | null {
  const decision = core.recommend_action?.decision;
  if (decision === undefined) return null;
  const theirs = model?.recommend_action?.decision;
  const doubts = [
    ...(theirs === undefined ? [] : decisionDoubts(decision, theirs)),
    ...(model === null ? [] : timingDoubts(core, model)),
  ];
  if (doubts.length === 0)
    return { decision, opinions: theirs === undefined ? [] : [MODEL_AGREES], questions: [], holds: [] };
  const sure = decision.automatic && (decision.culprit?.probability ?? 0) >= options.threshold;
  if (sure && !options.mayHold) return { decision, opinions: doubts, questions: [], holds: [] };
  const acts = decision.action === "rollback" || decision.action === "feature_flag_disable";
  const needsPerson = acts ? [...decision.needsPerson, ...doubts] : decision.needsPerson;
  return { decision: { ...decision, needsPerson }, opinions: doubts, questions: doubts, holds: sure ? doubts : [] };
}

function decisionDoubts(core: Decision, model: Decision): readonly string[] {
  const same =
    core.changeIds.length === model.changeIds.length && core.changeIds.every((id) => model.changeIds.includes(id));
  if (core.action === model.action && same) return [];
  const what = model.changeIds.length === 0 ? model.action : `${model.action} of ${model.changeIds.join(", ")}`;
  return [`the model would choose ${what} instead of ${core.action}`];
}

function timingDoubts(core: StepAnswers, model: StepAnswers): readonly string[] {
  const [ours, theirs] = [leading(core), leading(model)];
  if (ours === theirs || ours === "unknown" || theirs === "unknown") return [];
  return [`the model finds ${theirs} more likely than ${ours}`];
}
