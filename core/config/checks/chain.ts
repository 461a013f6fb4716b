import { SEED_STEPS } from "../../model/assessment.ts";
import { DecisionAction } from "../../model/decision.ts";
import { choicesOfAction, windowOfAction } from "../action-text.ts";
import { compileExpression } from "../expression.ts";
import { didYouMean, nearest } from "../nearest.ts";
import { isFilled, type Trouble } from "../variables.ts";
import type { Path } from "../yaml-tree.ts";
import { type Check, type Fields, isMap, keyTroubleAt, listAt, type Placed, repeats, valueTroubleAt } from "./check.ts";

function stepsIn(file: unknown): readonly Placed<Fields>[] {
  return listAt(file, "reasoning_chain", "on_anomaly_detected").flatMap(({ path, value }) =>
    isMap(value) ? [{ path, value }] : [],
  );
}

/** A step works on the answers of the steps before it: each stands once, and in the chain's order. */
export const stepsAreInOrder: Check = ({ file }) => {
  const steps = stepsIn(file);
  const twice = repeats(steps, ({ step }) => (typeof step === "string" ? step : null)).map(({ path, value }) =>
    valueTroubleAt([...path, "step"], `is ${value.step}, which is given above already`, "remove one of them"),
  );
  const known = steps.flatMap(({ path, value: { step } }) => {
    const rank = SEED_STEPS.findIndex((known) => Object.is(known, step));
    return rank < 0 ? [] : [{ path, step, rank }];
  });
  const early = known.flatMap(({ path, step, rank }, index) => {
    const later = known.slice(0, index).find((before) => before.rank > rank);
    if (later === undefined) return [];
    return [
      valueTroubleAt(
        [...path, "step"],
        `is ${step}, which comes after ${later.step}`,
        `move it above ${later.step}, which builds on it`,
      ),
    ];
  });
  return [...twice, ...early];
};

/**
 * A step of one's own has a `prompt` and a name that is none of the six and near none of them, so that a typo in one of
 * the six stays a typo.
 */
export const stepsAreKnown: Check = ({ file, raw }) =>
  stepsIn(file).flatMap(({ path, value: { step, prompt } }) => {
    if (typeof step !== "string") return [];
    const seed = SEED_STEPS.some((one) => one === step);
    if (seed && prompt !== undefined) {
      return [
        keyTroubleAt(
          [...path, "prompt"],
          `has no effect on ${step}, which has its own`,
          "leave it out, or give the step a name of your own",
        ),
      ];
    }
    if (seed) return [];
    if (isFilled(raw, [...path, "step"])) return [filledTrouble([...path, "step"])];
    const near = nearest(step, SEED_STEPS);
    if (prompt === undefined) {
      const hint =
        near === null ? "one of the six, or add a prompt to make it a step of your own" : `did you mean ${near}?`;
      return [valueTroubleAt([...path, "step"], `cannot be ${JSON.stringify(step)}`, hint)];
    }
    if (near === null) return [];
    return [
      valueTroubleAt(
        [...path, "step"],
        `is ${JSON.stringify(step)}, which is nearly ${near}`,
        "choose a name that cannot be taken for it, or leave prompt out",
      ),
    ];
  });

/** A key that has no effect where it stands would be a wish that nobody grants. */
export const stepKeysHaveTheirEffect: Check = ({ file }) =>
  stepsIn(file).flatMap(({ path, value }) => {
    const misplaced = (key: string, home: string): readonly Trouble[] =>
      value[key] === undefined || value.step === home || typeof value.step !== "string"
        ? []
        : [keyTroubleAt([...path, key], `has no effect on ${value.step}`, `move it to ${home}`)];
    return [
      ...misplaced("confidence_threshold", "correlate_timing"),
      ...misplaced("require_human_approval_if", "recommend_action"),
    ];
  });

/** The window and the choices that a step's action names must be readable. */
export const actionTextsAreRead: Check = ({ file, raw }) =>
  stepsIn(file).flatMap(({ path, value: { step, action } }) => {
    if (typeof action !== "string") return [];
    const at = [...path, "action"];
    const troubles =
      step === "identify_recent_deployments"
        ? windowTroubles(at, action)
        : step === "recommend_action"
          ? choiceTroubles(at, action)
          : [];
    return troubles.length > 0 && isFilled(raw, at) ? [filledTrouble(at)] : troubles;
  });

/** What is wrong with a text after its variables are filled in cannot be quoted (S10). */
function filledTrouble(path: Path): Trouble {
  return valueTroubleAt(
    path,
    "cannot be read once its variables are filled in",
    "write it out: people review this file",
  );
}

function windowTroubles(path: Path, action: string): readonly Trouble[] {
  const window = windowOfAction(action);
  if (window.kind === "wrong")
    return [valueTroubleAt(path, `names a window that cannot be read: ${window.what}`, window.hint, window.offset)];
  if (window.kind === "value") return [];
  return [
    valueTroubleAt(path, "names no window", 'say how far to search back: "query deployments within last 30 minutes"'),
  ];
}

function choiceTroubles(path: Path, action: string): readonly Trouble[] {
  const choices = choicesOfAction(action);
  if (choices.kind === "none") return [];
  if (choices.kind === "wrong")
    return [valueTroubleAt(path, `names choices that cannot be read: ${choices.what}`, choices.hint, choices.offset)];
  return choices.value
    .filter((choice) => !DecisionAction.options.some((action) => action === choice))
    .map((choice) =>
      valueTroubleAt(
        path,
        `offers ${JSON.stringify(choice)}, which is no action`,
        didYouMean(choice, DecisionAction.options),
        action.indexOf(choice),
      ),
    );
}

/** `require_human_approval_if` must be an expression over facts that exist. */
export const expressionsAreSound: Check = ({ file, raw }) =>
  stepsIn(file).flatMap(({ path, value: { require_human_approval_if: text } }) => {
    if (typeof text !== "string") return [];
    const compiled = compileExpression(text);
    if (compiled.ok) return [];
    const at = [...path, "require_human_approval_if"];
    if (isFilled(raw, at)) return [filledTrouble(at)];
    return compiled.errors.map(({ what, hint, offset }) => valueTroubleAt(at, `cannot be read: ${what}`, hint, offset));
  });
