import { type Fenced, ours, own } from "../../model/fenced.ts";
import { allOf, type Rule } from "../rule.ts";
import { targetText } from "../targets.ts";

/** Older than this, a result is no longer "fresh": the gate makes its own within seconds of judging. */
const FRESH_MS = 120_000;

/** Missing evidence is neither a reason to act nor a sign that all is well: the plan needs approval (S9). */
export const evidence: Rule = {
  name: "evidence",
  check({ assessment, targets, now, problems = {} }) {
    const reasons = targets.flatMap(({ target, state, problem }) =>
      state === null
        ? [own`${targetText(target)} could not be read (${problem === null ? "no answer" : ours(problem)})`]
        : [],
    );
    if (assessment === null)
      reasons.push(own`the gate could not make its own assessment${because(problems.assessment)}`);
    else if (Math.abs(now - assessment.at) > FRESH_MS) reasons.push(own`the gate's assessment is not a fresh one`);
    return allOf("require_approval", reasons);
  },
};

/** What a problem was stands there in our own words (`problemText`). */
const because = (problem: string | undefined): Fenced | "" =>
  problem === undefined ? "" : own` (${ours(problem.replace(/\.$/, ""))})`;
