import type { Config } from "../config/config.ts";
import type { GateReview } from "../model/plan.ts";
import { name } from "../model/untrusted-text.ts";
import { pausesAll } from "./gate-store.ts";

/** What stands at this moment of what denies plans for a time. `freezeWindows` absent: those are not known here. */
export interface StandingNow {
  readonly pauses: readonly { readonly scope: string }[];
  readonly freezeWindows?: Config["freezeWindows"];
  /** Unix ms. */
  readonly now: number;
}

/** A review of the gate as it can be told at present: what has ended since is told as past. */
export interface ReviewNow extends GateReview {
  /** Rules that denied the plan and whose reason has ended since: it is not denied by them, and nobody has judged it again yet. */
  readonly ended: readonly string[];
}

/**
 * What the gate said of a plan, without what is over since: a pause that somebody ended, a freeze whose time has passed. What
 * cannot be told from here stays. Pure.
 */
export function asOfNow(review: GateReview, standing: StandingNow): ReviewNow {
  const over = review.rules.filter((one) => one.verdict === "deny" && isOver(one, standing));
  return { ...review, rules: review.rules.filter((one) => !over.includes(one)), ended: over.map(({ rule }) => rule) };
}

function isOver({ rule, reason }: GateReview["rules"][number], { pauses, freezeWindows, now }: StandingNow): boolean {
  if (rule === "paused") {
    // Which pauses it named stands in its sentence alone; one of everything holds every plan.
    return pauses.every(({ scope }) => !pausesAll(scope) && !reason.includes(`${name(scope)} is paused`));
  }
  return rule === "freeze" && freezeWindows !== undefined && freezeWindows.every((one) => one.openAt(now) === null);
}

/**
 * What the rules have against a plan, a sentence each as every surface words it (S15): by the verdict of each rule, whatever came
 * of the plan as a whole. One that denies stands beside those that would let a person decide.
 */
export const ruleTexts = ({ rules }: Pick<GateReview, "rules">): readonly string[] =>
  rules.flatMap(({ rule, verdict, reason }) =>
    verdict === "allow" ? [] : [`${verdict === "deny" ? "denied" : "held"} by ${rule}: ${reason}`],
  );

/** The same at the start of a line. */
export const ruleLines = (review: Pick<GateReview, "rules">): readonly string[] =>
  ruleTexts(review).map((text) => text.charAt(0).toUpperCase() + text.slice(1));

/** What is against a plan, a line each: what stands, and what has ended. */
export function againstLines({ rules, ended }: ReviewNow): readonly string[] {
  return [
    ...ruleTexts({ rules }),
    ...ended.map((rule) => `was denied by ${rule}, which has ended since: it is judged again at the next evaluation`),
  ];
}
