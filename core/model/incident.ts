import { z } from "zod";
import { Ranking } from "./candidate.ts";
import { Change } from "./change.ts";
import { Decision } from "./decision.ts";
import { Extent } from "./extent.ts";
import { ConditionState, Finding, Onset } from "./finding.ts";
import { Impact } from "./impact.ts";
import { GateAnswer, Plan } from "./plan.ts";
import { Worse } from "./signal.ts";
import { Moment } from "./time.ts";

/** How a verification ended. Unknown is not recovered (S9). */
export const RecoveryVerdict = z.enum(["recovered", "not-recovered", "unknown", "pending"]);
export const Recovery = z.strictObject({
  verdict: RecoveryVerdict,
  at: Moment.nullable(),
  checks: z.array(
    z.strictObject({ service: z.string(), metric: z.string(), verdict: RecoveryVerdict, because: z.string() }),
  ),
});
export type Recovery = Readonly<z.infer<typeof Recovery>>;

/** The verdict on an act by those on its signals: the worst of them; none is a recovery. */
export function overallVerdict(verdicts: readonly Recovery["verdict"][]): Recovery["verdict"] {
  for (const worst of ["not-recovered", "unknown", "pending"] as const) if (verdicts.includes(worst)) return worst;
  return "recovered";
}

/** Whether verification found that the act of an incident brought recovery, and that is how it ended. All else is no confirmed recovery (S9). */
export const isRecoveryConfirmed = ({
  outcome,
  recovery,
}: {
  readonly outcome: string | null;
  readonly recovery: Recovery | null;
}): boolean => outcome === "recovered" && recovery?.verdict === "recovered";

/** What verification compares with; stored with the intent, so that a restart can go on (S5). */
export const Baseline = z.strictObject({
  service: z.string(),
  metric: z.string(),
  unit: z.string(),
  center: z.number(),
  upper: z.number().describe("A value above it is outside the signal's own baseline"),
  lower: z.number(),
  requestRate: z.number().nullable().describe("Requests a second before onset"),
  worse: Worse.optional().describe("In which direction a policy calls it bad, where the metric itself has none"),
});
export type Baseline = Readonly<z.infer<typeof Baseline>>;

/**
 * How the signals of an incident came back without an act of its own: `change`: the last one that somebody made meanwhile to its
 * services or to what calls join to them; null: none is known. `unheard`: what sources of changes did not say, and what changed
 * while it began, which may be its cause as well as its end.
 */
export const WayBack = z.strictObject({
  change: z.strictObject({ id: z.string(), service: z.string() }).nullable(),
  act: z
    .strictObject({ plan: z.string(), does: z.string(), by: z.array(z.string()) })
    .optional()
    .describe(
      "A plan that no part of the incident is, carried out meanwhile, later than `change`; `by`: who approved it",
    ),
  own: z
    .literal(true)
    .optional()
    .describe("Its own plan rolled something back before; whether that brought it is what its recovery says"),
  unheard: z.array(z.string()),
});
export type WayBack = Readonly<z.infer<typeof WayBack>>;

/** What is degraded at a moment, by how much and whom it hurts, of an incident whose decision stands already. */
export const Present = z.strictObject({
  at: Moment,
  findings: z.array(Finding),
  conditions: z.array(ConditionState),
  affectedServices: z.array(z.string()),
  impact: Impact.nullable(),
});
export type Present = Readonly<z.infer<typeof Present>>;

/**
 * The stages of an incident, in order. `closed` has an outcome; so has one whose act was verified and did not prove to help,
 * while its signals are degraded still (`isResidual`). An incident goes on from its stage after a restart.
 */
export const IncidentStage = z.enum([
  "detected",
  "investigated",
  "waiting-policy",
  "waiting-approval",
  "executing",
  "verifying",
  "closed",
]);
export type IncidentStage = z.infer<typeof IncidentStage>;

/**
 * What a notice told people, where what follows depends on it: that no change is to blame, that nobody knows whether one is, that
 * none is sure enough to be undone, that one is left alone for people to weigh, or that the act may have made it worse. Never read
 * from the words of the notice.
 */
export const Told = z.enum(["no-change", "not-known", "not-sure", "withheld", "made-worse"]);
export type Told = z.infer<typeof Told>;

/** The line in the timeline of an open incident whose signals are back: it ends when they stay so, and goes when they do not. */
export const QUIET_SINCE = "quiet since";

/** The line in the timeline of an incident whose plan is carried out or verified: the watch was started again. */
export const TAKEN_UP = "taken up again";

/** When the watch was last started again in the middle of it, Unix ms; null: it looked all the while. */
export const takenUpAt = ({
  timeline,
}: {
  readonly timeline: readonly { at: number; event: string }[];
}): number | null => timeline.findLast(({ event }) => event === TAKEN_UP)?.at ?? null;

/**
 * How an incident ended. `denied`, `expired`: a plan stood, the gate denied it or nobody answered in time, and nothing
 * was written before the trouble passed. `superseded`: after the act somebody changed the targets again, or an
 * older change began to hurt them, before the verification was over, so that nothing can say any more whether the act helped: neither recovered nor not. Where
 * that is so of some services only, they stand under `superseded` and the outcome speaks of the others.
 */
export const OutcomeKind = z.enum([
  "recovered",
  "not-recovered",
  "unknown",
  "no-action",
  "withdrawn",
  "denied",
  "expired",
  "recommended",
  "superseded",
]);
export type OutcomeKind = z.infer<typeof OutcomeKind>;

/** Whether the trouble passed while a decision to act had come to nothing: it was withdrawn, denied or never answered. */
export function cameToNothing(outcome: OutcomeKind | null): boolean {
  return outcome === "withdrawn" || outcome === "denied" || outcome === "expired";
}

/** All of it together: from the first finding to what came of it. The ledger holds the truth; this is its fold. */
export const Incident = z.strictObject({
  id: z.string(),
  stage: IncidentStage,
  service: z.string().describe("Where it was noticed first"),
  detectedAt: Moment,
  onset: Onset.nullable(),
  findings: z.array(Finding),
  conditions: z.array(ConditionState),
  affectedServices: z.array(z.string()),
  seenAt: Moment.optional().describe("Of which moment its findings, conditions, ranking and impact are"),
  present: Present.optional().describe("Its state since its plan went to the gate; the rest is what was decided upon"),
  trouble: z
    .array(z.string())
    .optional()
    .describe("Services whose degradation it was opened for, and what joined it since"),
  extent: Extent.optional(),
  backSince: Moment.optional().describe("Since when all of its signals were back, where it ended so"),
  backBy: WayBack.optional(),
  wide: z.literal(true).optional().describe("A wide cause was seen at its onset, which many services shared"),
  told: z
    .array(z.string())
    .optional()
    .describe("Conditions in force that people were notified of, with the notice that nothing is undone"),
  word: z
    .strictObject({
      said: z.string(),
      times: z.int().positive(),
      other: z.strictObject({ said: z.string(), since: Moment }).optional(),
    })
    .optional()
    .describe(
      "What people were last notified of the decision, how often they were notified of another one, and what is held otherwise since",
    ),
  signals: z
    .array(
      z.strictObject({
        service: z.string(),
        metric: z.string(),
        usual: z.number().nullable().describe("Its level before the degradation, in its unit; null: not measured"),
        bad: z.number().nullable().describe("Its level during the degradation; null: not measured"),
        well: z.int().nonnegative().describe("Evaluations that measured it back since it was last degraded"),
        over: z
          .literal(true)
          .optional()
          .describe("Its test found the degradation over: its level between the two says nothing more"),
      }),
    )
    .optional()
    .describe("Its own signals: those that were degraded while it was open. They alone end it"),
  judged: z
    .strictObject({ at: Moment, basis: z.string(), again: z.literal(true).optional() })
    .optional()
    .describe(
      "Since when it is judged upon the same changes and signals, and a digest of them; `again`: a day added nothing",
    ),
  joined: z.string().optional().describe("The incident that it goes on in, where both turned out to be one"),
  superseded: z
    .array(z.strictObject({ service: z.string(), what: z.string() }))
    .optional()
    .describe(
      "Services where another change is at work since the act (made after it, or of a degradation that began after it): what they do since is judged by itself",
    ),
  changes: z.array(Change).describe("Those in the window, for the record"),
  ranking: Ranking.nullable(),
  impact: Impact.nullable(),
  decision: Decision.nullable(),
  decidedRanking: Ranking.optional().describe("The ranking at the time when the newest decision was recorded"),
  plan: Plan.nullable(),
  gate: GateAnswer.nullable(),
  baselines: z.array(Baseline),
  recovery: Recovery.nullable(),
  outcome: OutcomeKind.nullable(),
  closedAt: Moment.nullable(),
  timeline: z.array(z.strictObject({ at: Moment, event: z.string(), detail: z.string(), told: Told.optional() })),
  unverified: z.array(z.string()).describe("What nobody could check, in words"),
  unheard: z
    .array(z.string())
    .optional()
    .describe("What sources of changes did not say when it was last judged; absent: that was not recorded"),
  obstacles: z.array(z.string()).optional().describe("Why nothing here can do what was decided; empty: it can be done"),
  usage: z.strictObject({ inputTokens: z.number(), outputTokens: z.number(), toolCalls: z.number() }),
});
export type Incident = Readonly<z.infer<typeof Incident>>;

/**
 * Whether all that was to be done for an incident is done, and its act did not prove to help: it has its outcome, and stays
 * open for its symptoms alone, until its own signals are back. It blames no change any more and holds no plan.
 */
export const isResidual = ({ stage, outcome }: Pick<Incident, "stage" | "outcome">): boolean =>
  stage === "verifying" && outcome !== null;
