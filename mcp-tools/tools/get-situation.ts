import { z } from "zod";
import { asAtWork } from "../../core/config/at-work-mode.ts";
import { UnshipError } from "../../core/errors.ts";
import { type Situation, situationOf } from "../../core/guardrails/situation.ts";
import { ours, own } from "../../core/model/fenced.ts";
import {
  type AskedOfWatch,
  isLate,
  lastEvaluationLines,
  noMetricsLines,
  noneOpenText,
} from "../../core/model/last-evaluation.ts";
import { namesIn, sentenceFence } from "../../core/model/sentence-fence.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import type { ToolContext } from "../context.ts";
import { defineTool } from "../define-tool.ts";
import { type NextCall, ofPlan } from "../next-call.ts";
import { openCase } from "../open-case.ts";
import { page } from "../page.ts";
import { situationText } from "../situation-text.ts";
import { furtherView, SituationView, worstView } from "../situation-view.ts";
import { type WaitingPlan, waitingView } from "../waiting-view.ts";

/** So many of each kind are named; the rest are counted. */
const NAMED = 10;

export const getSituation = defineTool({
  name: "get_situation",
  title: "Get the situation",
  effect: "read",
  reach: "held",
  description:
    "Call this first. All open incidents, worst first: culprit, impact, waiting plan, who may approve and the next call for " +
    "the worst. Where none is open: what that was judged on. Not for details (get_incident) or the past (search_incidents).",
  input: z.strictObject({}),
  output: SituationView,
  text: situationText,
  async run(_, context): Promise<SituationView> {
    const { ledger, config, clock, atWork, watching } = context;
    const now = clock.now();
    const situation = await situationOf(ledger, config.services, now);
    const { mode } = asAtWork(config, (await atWork?.()) ?? []);
    const { isWatched, since } = (await watching?.()) ?? { isWatched: null, since: null };
    const standing = { pauses: situation.pauses, freezeWindows: config.freezeWindows, now };
    const [first, ...others] = situation.open;
    const told = first === undefined ? null : await worstView(first, situation.beside, context, standing);
    const beside = situation.beside
      .filter(({ plan }) => plan.id !== told?.worst.plan?.plan)
      .map((one) => waitingView(one, context, standing, sentenceFence(namesIn(one.plan)).sentence));
    const judged = told === null ? await judgedOn(context) : null;
    return {
      notice: UNTRUSTED_NOTICE,
      at: rfc3339(now),
      open: situation.open.length,
      worst: told?.worst ?? null,
      further: others.slice(0, NAMED).map((one) => furtherView(one, now)),
      plans_beside: [...page(beside, { limit: NAMED, question: "" }).items],
      plans_beside_total: beside.length,
      ...alsoTold(situation),
      mode: own`${mode}`,
      watched: isWatched,
      watched_since: rfc3339(since),
      ...evaluated(situation, { now, isWatched }),
      judged_on: judged,
      next: told?.next ?? nextWithout(beside, judged),
    };
  },
});

/** How current all of it is: what the watch said of its newest evaluation. */
const evaluated = ({ evaluation, damaged, open }: Situation, asked: AskedOfWatch) => ({
  none_open: open.length > 0 ? null : noneOpenText(evaluation, asked, damaged.length > 0),
  no_metrics: noMetricsLines(evaluation, asked).map((line) => ours(cleanText(line, 300))),
  evaluated: rfc3339(evaluation?.at),
  evaluations_late:
    evaluation === null || asked.isWatched === null ? null : asked.isWatched && isLate(evaluation, asked.now),
  evaluation_text: lastEvaluationLines(evaluation, asked)
    .slice(0, NAMED)
    .map((line) => ours(cleanText(line.trim(), 200))),
});

const alsoTold = ({ acts, damaged, pauses }: Situation) => ({
  acts_beside: acts.slice(0, NAMED).map(({ plan }) => name(plan.id)),
  damaged: damaged.slice(0, NAMED).map(({ id, reason }) => own`${name(id)}: ${quote(reason, 200)}`),
  paused: pauses.slice(0, NAMED).map(({ scope }) => (scope === "*" ? own`everything` : name(scope))),
});

/** What "nothing is open" rests on: the present evidence of this server, which may know more or less than the watch's. */
async function judgedOn(context: ToolContext): Promise<SituationView["judged_on"]> {
  try {
    const { file, coverage } = await openCase(context, undefined);
    const worse = file.findings.filter(({ verdict }) => verdict === "worse").map(({ service }) => service);
    const firing = file.conditions.filter(({ state }) => state === "firing").map(({ service }) => service);
    const degraded = [...new Set([...worse, ...firing])].slice(0, NAMED).map((one) => name(one));
    return { ...coverage(), degraded };
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return { signals: "unknown", changes: "unknown", because: [ours(error.message)], degraded: [] };
  }
}

/** What to do where no incident is open; null: nothing. */
function nextWithout(beside: readonly WaitingPlan[], judged: SituationView["judged_on"]): NextCall | null {
  const waiting = beside.find(({ state }) => state === "waiting");
  if (waiting !== undefined) return { tool: own`get_situation`, arguments: {}, why: ofPlan(waiting) };
  if (judged === null) return null;
  if (judged.degraded.length > 0)
    return {
      tool: own`get_findings`,
      arguments: {},
      why: own`services are degraded, and no incident is open for them`,
    };
  if (judged.signals === "measured") return null;
  return { tool: own`get_findings`, arguments: {}, why: own`it names what could not be measured` };
}
