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
import { asItStands } from "../core/model/recorded.ts";
import { rfc3339 } from "../core/model/time.ts";
import { name } from "../core/model/untrusted-text.ts";
import type { ToolContext } from "./context.ts";

/** The steps whose answers a record holds. */
const RECORDED = ["correlate_timing", "evaluate_business_impact", "recommend_action"] as const;
export type RecordedStep = (typeof RECORDED)[number];

/** What is answered of an incident that is closed: what was decided of it, and not what the present evidence would say. */
export interface RecordedCase {
  readonly answers: { readonly [S in RecordedStep]: AllFenced<NonNullable<StepAnswers[S]>> };
  readonly coverage: AllFenced<Coverage>;
  /** Of which moment it speaks, Unix ms. */
  readonly at: number;
  readonly gaps: Fenced[];
  /** Whether its plan ran without a person, and what was against it; null: it had none. */
  readonly execution: { readonly without_person: boolean; readonly held_by: Fenced[] } | null;
}

export const isRecorded = (step: string): step is RecordedStep => RECORDED.some((one) => one === step);

/**
 * The answers of a closed incident, from its record alone; null: it is open, and the evidence answers. Nothing is degraded once it
 * is over: judged anew, what was rolled back would be "no change is the culprit", and its impact low (S15).
 */
export async function recordedCase(
  stored: Incident | null,
  { config, ledger }: Pick<ToolContext, "config" | "ledger">,
): Promise<RecordedCase | null> {
  const over = stored === null ? null : whyOver(stored);
  if (stored === null || over === null) return null;
  const incident = await asCarriedOut(stored, ledger);
  const by = incident.gate === null ? null : await executedBy(ledger, incident.gate.planId);
  const { incident: shown } = fencedIncident(asItStands(incident));
  const { gate, unheard, unverified } = shown;
  const at = shown.seenAt ?? shown.decision?.decidedAt ?? shown.closedAt ?? shown.detectedAt;
  const act =
    gate === null
      ? own`nothing was submitted to the gate`
      : own`its plan: ${ours(gateText(gate, by?.map(name) ?? null))}`;
  const said = own`from the record, nothing was judged anew: ${ours(over)} at ${rfc3339(shown.closedAt ?? at)}; ${act}`;
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
      gate === null
        ? null
        : {
            without_person: by !== null && by.length === 0,
            held_by: gate.review.rules
              .filter(({ verdict }) => verdict !== "allow")
              .map(({ rule, reason }) => own`${rule}: ${reason}`),
          },
  };
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
    why: [NOT_RECORDED] as [Fenced],
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
