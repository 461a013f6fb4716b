import { z } from "zod";
import { type GateAnswer, type Plan, type Target, TargetResult } from "../model/plan.ts";
import type { LedgerEntry } from "../ports.ts";
import { LEDGER_KINDS } from "./gate-store.ts";
import { targetText } from "./targets.ts";

/**
 * How far one target of a plan has come. `begun`: it is being tried, or whoever tried it died; nobody knows yet whether it
 * was written. `unknown`: that was asked of the target, without an answer. `untouched`: certainly not written by this plan.
 */
export type ProgressState = "not-begun" | "begun" | "done" | "already" | "untouched" | "failed" | "unknown";

export interface TargetProgress {
  readonly target: Target;
  readonly state: ProgressState;
  /** What the executor or the gate said of it; "" where nothing was said yet. */
  readonly detail: string;
}

const STATES: Readonly<Record<TargetResult["result"], ProgressState>> = {
  done: "done",
  "nothing-to-do": "already",
  refused: "untouched",
  stale: "untouched",
  unreachable: "untouched",
  failed: "failed",
  unknown: "unknown",
};

const Attempted = z.looseObject({ position: z.int() });
const Finished = z.looseObject({ position: z.int(), result: TargetResult });

/**
 * How far each target of a plan has come, from what stands in the ledger alone: true at any moment, also after a process
 * died in the middle of it. `entries`: those of the plan, oldest first; others are passed over.
 */
export function planProgress(plan: Plan, entries: readonly LedgerEntry[]): readonly TargetProgress[] {
  const own = entries.filter(({ planId }) => planId === plan.id);
  const of = <T>(kind: string, schema: z.ZodType<T>): readonly T[] =>
    own.filter((entry) => entry.kind === kind).flatMap(({ body }) => schema.safeParse(body).data ?? []);
  const attempted = new Set(of(LEDGER_KINDS.targetAttempted, Attempted).map(({ position }) => position));
  const finished = new Map(of(LEDGER_KINDS.targetFinished, Finished).map(({ position, result }) => [position, result]));
  return plan.targets.map((target, position) => progressOf(target, finished.get(position), attempted.has(position)));
}

/** How far one target has come, by its result, or by whether it was tried. */
export function progressOf(target: Target, result: TargetResult | undefined, isTried: boolean): TargetProgress {
  if (result === undefined) return { target, state: isTried ? "begun" : "not-begun", detail: "" };
  return { target, state: STATES[result.result], detail: result.detail };
}

/** The same from the gate's answer, where that is all that is at hand. */
export const answerProgress = ({ results }: Pick<GateAnswer, "results">): readonly TargetProgress[] =>
  results.map(({ target, result, detail }) => ({ target, state: STATES[result], detail }));

/** What stands where, one line a target: "1. Deployment production/web: restored, v1 runs". */
export function progressLines(progress: readonly TargetProgress[]): readonly string[] {
  return progress.map((one, index) => `${index + 1}. ${targetText(one.target)}: ${standsText(one)}`);
}

/** How far a target has come, in words. */
export function standsText({ target, state, detail }: TargetProgress): string {
  const { expected, restore } = target;
  const [from, to] =
    target.action === "feature_flag_disable"
      ? ["it is on", "it is off"]
      : [`it is at ${expected.version}`, `it is at ${restore.version}`];
  const why = detail === "" ? "" : ` (${detail})`;
  switch (state) {
    case "done":
      return `rolled back, ${to}`;
    case "already":
      return `nothing to do, ${to}`;
    case "not-begun":
      return `not begun, ${from} unless somebody else changed it`;
    case "begun":
      return "being rolled back; the outcome is not known yet";
    case "unknown":
      return `NOT KNOWN: it was tried, and the target does not answer${why}`;
    case "failed":
      return `FAILED, ${from} as far as is known${why}`;
    case "untouched":
      return `not rolled back${why}`;
  }
}

/**
 * How to go on after a plan of several targets stopped in its middle; empty where it did not. Nothing is put forward
 * again by itself: which of the two ways is right depends on why it stopped.
 */
export function waysOn(progress: readonly TargetProgress[]): readonly string[] {
  const of = (...states: readonly ProgressState[]) => progress.filter(({ state }) => states.includes(state));
  const back = of("done");
  const open = of("begun", "unknown");
  const rest = of("not-begun", "untouched", "failed");
  const names = (list: readonly TargetProgress[]) => list.map(({ target }) => targetText(target)).join(", ");
  const waits = open.map(
    ({ target }) =>
      `${targetText(target)}: it is asked again until it answers, and no other plan may touch it meanwhile`,
  );
  if (rest.length === 0 || back.length === 0) return waits;
  return [
    ...waits,
    `${names(back)} ${back.length === 1 ? "was" : "were"} rolled back, ${names(rest)} ${rest.length === 1 ? "was" : "were"} not. What needs the others is rolled back first, so this order of halves is the safer one`,
    `to go on: fix what stopped it, then let a new plan roll back ${names(rest)}; the watch files one as long as its evidence calls for it`,
    `to undo the half: ${back.map(({ target }) => forwardText(target)).join("; ")}`,
  ];
}

/** How a person puts back what was taken back. */
function forwardText({ action, object, expected, environment }: Target): string {
  const { kind, namespace, name } = object;
  switch (action) {
    case "feature_flag_disable":
      return `switch the flag ${name} on in ${environment ?? "its environment"}`;
    case "kubectl_rollout_undo":
      return `kubectl rollout undo ${kind.toLowerCase()}/${name} -n ${namespace} --to-revision=${expected.revision}, which brings ${expected.version} again`;
    default:
      return `bring ${kind} ${namespace}/${name} to ${expected.version} again`;
  }
}
