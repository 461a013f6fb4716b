import { thresholdOf } from "../core/assessment/steps.ts";
import type { Config } from "../core/config/config.ts";
import type { Coverage } from "../core/decision/coverage.ts";
import { executedBy, gateText } from "../core/guardrails/approved-by.ts";
import { asCarriedOut } from "../core/guardrails/ledger-answer.ts";
import { whyOver } from "../core/guardrails/plan-use.ts";
import type { StepAnswers } from "../core/model/assessment.ts";
import { isCompared, NOTHING_TO_COMPARE } from "../core/model/candidate.ts";
import { type AllFenced, type Fenced, ours, own } from "../core/model/fenced.ts";
import { fencedIncident } from "../core/model/fenced-incident.ts";
import type { Incident } from "../core/model/incident.ts";
import { isLate } from "../core/model/last-evaluation.ts";
import { asItStands } from "../core/model/recorded.ts";
import { rfc3339 } from "../core/model/time.ts";
import { name } from "../core/model/untrusted-text.ts";
import type { ToolContext } from "./context.ts";

/** The steps whose answers a record holds. */
const RECORDED = ["correlate_timing", "evaluate_business_impact", "recommend_action"] as const;
export type RecordedStep = (typeof RECORDED)[number];

/**
 * What is answered of an incident from its record: of one that is closed what was decided of it, and not what the present evidence
 * would say; of an open one what the watch judged at its newest evaluation.
 */
export interface RecordedCase {
  readonly answers: { readonly [S in RecordedStep]: AllFenced<NonNullable<StepAnswers[S]>> };
  readonly coverage: AllFenced<Coverage>;
  /** Of which moment it speaks, Unix ms. */
  readonly at: number;
  readonly gaps: Fenced[];
  /** Whether its plan ran without a person, and what was against it; null: it had none; "open": it may still run, or not. */
  readonly execution: { readonly without_person: boolean; readonly held_by: Fenced[] } | null | "open";
}

export const isRecorded = (step: string): step is RecordedStep => RECORDED.some((one) => one === step);

/**
 * The answers of an incident from its record alone, where that is what stands: it is closed, or a watch judges it at every step, with
 * a history that whoever is asked may not have; null: the evidence answers. Nothing is degraded once it is over: judged anew, what was
 * rolled back would be "no change is the culprit", and its impact low. Of an open incident two judgements would be two stories (S15).
 */
export async function recordedCase(
  stored: Incident | null,
  context: Pick<ToolContext, "config" | "ledger" | "clock" | "watching">,
): Promise<RecordedCase | null> {
  const { config, ledger } = context;
  if (stored === null) return null;
  const over = whyOver(stored);
  if (over === null && !(await isJudgedByWatch(stored, context))) return null;
  const incident = await asCarriedOut(stored, ledger);
  const by = incident.gate === null ? null : await executedBy(ledger, incident.gate.planId);
  const { incident: shown } = fencedIncident(asItStands(incident));
  const { gate, unheard, unverified } = shown;
  const at = shown.seenAt ?? shown.decision?.decidedAt ?? shown.closedAt ?? shown.detectedAt;
  const act =
    gate === null
      ? own`nothing was submitted to the gate`
      : own`its plan: ${ours(gateText(gate, by?.map(name) ?? null))}`;
  const said =
    over === null
      ? own`as the watch judged it at ${rfc3339(at)}; ${act}`
      : own`from the record, nothing was judged anew: ${ours(over)} at ${rfc3339(shown.closedAt ?? at)}; ${act}`;
  return {
    answers: answersOf(shown, config, at),
    coverage: {
      signals: shown.ranking !== null && isCompared(shown.ranking) ? "measured" : "unknown",
      changes: unheard === undefined ? "unknown" : unheard.length === 0 ? "measured" : "partly",
      because: [
        said,
        ...(unheard === undefined ? [own`what sources of changes did not say was not recorded`] : unheard),
      ],
    },
    at,
    gaps: [...(unheard ?? []), ...unverified].slice(0, GAPS),
    execution:
      over === null
        ? "open"
        : gate === null
          ? null
          : {
              without_person: by !== null && by.length === 0,
              held_by: gate.review.rules
                .filter(({ verdict }) => verdict !== "allow")
                .map(({ rule, reason }) => own`${rule}: ${reason}`),
            },
  };
}

/** Whether a watch runs that judged this incident at its newest evaluation, and evaluates still. */
async function isJudgedByWatch(
  { ranking }: Incident,
  { ledger, clock, watching }: Pick<ToolContext, "ledger" | "clock" | "watching">,
): Promise<boolean> {
  if (ranking === null || (await watching?.())?.isWatched !== true) return false;
  const last = await ledger.lastEvaluation();
  return last !== null && !isLate(last, clock.now());
}

/** So many of what was not known are named; the incident holds all. */
const GAPS = 8;

function answersOf(shown: AllFenced<Incident>, config: Pick<Config, "chain">, at: number): RecordedCase["answers"] {
  const threshold = thresholdOf(config);
  const ranking = shown.ranking ?? {
    candidates: [],
    noChangeProbability: null,
    noChangeReasons: [{ name: ours(NOTHING_TO_COMPARE), logOdds: 0, sentence: NOT_RECORDED }],
    rootCauses: [],
  };
  const impact = shown.impact ?? {
    level: "unknown" as const,
    affectedServices: shown.affectedServices,
    failedShare: null,
    failedUserShare: null,
    failedRequestsPerSecond: null,
    revenuePerMinute: null,
    routes: [],
    unknown: [NOT_RECORDED],
    sentences: [],
    notYet: true as const,
  };
  const decision = shown.decision ?? {
    action: "no_action" as const,
    service: shown.service,
    culprit: null,
    changeIds: [],
    automatic: false,
    needsPerson: [],
    why: [shown.stage === "closed" ? NOT_RECORDED : NOT_DECIDED] as [Fenced],
    hotfix: null,
    decidedAt: at,
  };
  const culprit = decision.culprit?.probability ?? ranking.candidates[0]?.probability ?? 0;
  return {
    correlate_timing: { ranking, threshold, reached: culprit >= threshold },
    evaluate_business_impact: { impact },
    recommend_action: { decision },
  };
}

const NOT_RECORDED = own`the incident closed before this was judged`;
const NOT_DECIDED = own`nothing is decided yet: the evidence is still coming in`;
