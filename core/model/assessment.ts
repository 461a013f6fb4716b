import type { Ranking } from "./candidate.ts";
import type { Change, InfrastructureChange } from "./change.ts";
import type { Decision } from "./decision.ts";
import type { Alert, FlagState, LogLine, Rollout, Span, Topology } from "./evidence.ts";
import type { ConditionState, Finding, Onset } from "./finding.ts";
import type { Impact } from "./impact.ts";
import type { Baseline } from "./incident.ts";
import type { Target } from "./plan.ts";
import type { Series } from "./signal.ts";

/**
 * What a gap leaves unknown. `metrics`: samples of a metric; `history`: samples of earlier hours and weeks; `targets`: those
 * of single processes that are measured; `pods`: which of them are well; `storage`: whether samples outlive the process.
 * `changes`: what was changed; `change-times`: when exactly.
 */
export const GAP_KINDS = [
  "metrics",
  "history",
  "targets",
  "pods",
  "storage",
  "changes",
  "change-times",
  "rollouts",
  "logs",
  "traces",
  "topology",
  "flags",
  "alerts",
  "infrastructure",
] as const;
export type GapKind = (typeof GAP_KINDS)[number];

/**
 * How it came: the question failed or is late; the answer lacks a part; it is whole and cannot be relied on; nobody is configured
 * who could be asked.
 */
export const GAP_REASONS = ["unanswered", "partial", "uncertain", "not-configured"] as const;
export type GapReason = (typeof GAP_REASONS)[number];

/**
 * What is unknown (S9). All that is judged by is in `of`, `how`, `metric` and `services`; the rest is for people alone, and
 * nothing may be read from it.
 */
export interface Gap {
  readonly of: GapKind;
  readonly how: GapReason;
  /** The one metric that it leaves unknown; absent: all, or none in particular. */
  readonly metric?: string;
  /** The services of which it leaves something unknown; absent: any. */
  readonly services?: readonly string[];
  readonly source: string;
  readonly what: string;
  readonly because: string;
  /** Since when nothing is heard of it, Unix ms, where that is known. */
  readonly since?: number;
}

/** The requests a second that a service usually gets at this time, their deviation from day to day, and how many days tell it. */
export interface UsualTraffic {
  readonly service: string;
  readonly center: number;
  readonly scale: number;
  readonly days: number;
}

/** One onset that more services share than chance explains. */
export interface Coincidence {
  /** The services that share it (of a wide cause: those of them that were not changed at it), and how many are measured in all. */
  readonly services: number;
  readonly measured: number;
  readonly onset: Onset;
}

/** Degraded services that began at the very onset of another one of their call graph, or one after the other with it, which no call explains. */
export interface BeganBeside {
  /** Sorted. */
  readonly services: readonly string[];
  /** Within how long they and the other one began, by the likeliest moment of each, ms; 0: in one sample. */
  readonly withinMs: number;
  /** The services that no known call joins to any of them, sorted: the other ones that they began beside. */
  readonly of: readonly string[];
  /** How often they would by chance, each for a cause of its own; 0 to 1. */
  readonly byChance: number;
}

/** Changes of services that nobody measures and that nothing known joins to an incident. */
export interface Elsewhere {
  readonly changes: readonly Change[];
  /** The chance that one service calls a given other one, as sparse as the known call graphs are. */
  readonly chance: number;
}

/**
 * All that was known at one moment: the only input of an assessment, so that any decision can be made again.
 * Nothing in it is later than `at`. `series` are the recent, unsmoothed signals (statistics purpose).
 */
export interface CaseFile {
  readonly at: number;
  readonly series: readonly Series[];
  readonly findings: readonly Finding[];
  readonly conditions: readonly ConditionState[];
  readonly changes: readonly Change[];
  readonly topology: Topology | null;
  readonly logs: readonly LogLine[];
  readonly spans: readonly Span[];
  /** A source had more traces than it gave: sources give those that failed first, so that no share can be read off. */
  readonly spansCut?: true;
  readonly flags: readonly FlagState[];
  readonly rollouts: readonly Rollout[];
  readonly alerts: readonly Alert[];
  readonly gaps: readonly Gap[];
  /** What was done to the ground that services run on: it may explain, and nothing of it is ever undone. */
  readonly infrastructure?: readonly InfrastructureChange[];
  /** Of services whose traffic of earlier days is known. */
  readonly usualTraffic?: readonly UsualTraffic[];
  /** In the evidence about one incident: what changed beyond all that something joins to it. */
  readonly elsewhere?: Elsewhere;
  /** In the evidence about one incident: services anywhere whose pods are being moved, as far as can be seen (`podsMoved`). */
  readonly moved?: readonly string[];
  /** In the evidence about one incident: a wide cause that began with it, most of whose services nobody changed then. */
  readonly coincidence?: Coincidence;
  /** In the evidence about one incident with a change of its own: others that began with it (`meetings`). */
  readonly meeting?: Coincidence;
  /** The same: others of its call graph that began with it, or of any whom a cause reached one after the other; each an incident of its own. */
  readonly siblings?: BeganBeside;
}

/** The seed's six steps, in its order. */
export const SEED_STEPS = [
  "identify_recent_deployments",
  "correlate_timing",
  "check_affected_services",
  "check_dependency_graph",
  "evaluate_business_impact",
  "recommend_action",
] as const;
export type SeedStep = (typeof SEED_STEPS)[number];

/**
 * What each step answers. The answer of one step is the only thing that a later step gets from it; a step that the
 * configuration leaves out leaves its key undefined, and every later step says what it lacks because of that.
 */
export interface StepAnswers {
  /** Changes in the window, counted back from the earliest credible onset. */
  readonly identify_recent_deployments?: {
    readonly onset: Onset | null;
    readonly windowMs: number;
    readonly widened: string | null;
    readonly changeIds: readonly string[];
  };
  readonly correlate_timing?: { readonly ranking: Ranking; readonly threshold: number; readonly reached: boolean };
  readonly check_affected_services?: { readonly services: readonly string[]; readonly origin: string | null };
  /** The changes that must be rolled back together with the culprit, in a safe order (dependants first). */
  readonly check_dependency_graph?: { readonly order: readonly string[]; readonly because: readonly string[] };
  readonly evaluate_business_impact?: { readonly impact: Impact };
  readonly recommend_action?: { readonly decision: Decision };
}

/** The whole deterministic result at one moment. `targets`: the plan that the decision names; empty where none. */
export interface Assessment {
  readonly at: number;
  /** Services whose findings hang together; this assessment speaks of these alone. */
  readonly services: readonly string[];
  readonly findings: readonly Finding[];
  readonly conditions: readonly ConditionState[];
  readonly changes: readonly Change[];
  /** Ids of those among them of which nothing known joins the service to this; absent: none. */
  readonly elsewhere?: readonly string[];
  readonly answers: StepAnswers;
  readonly decision: Decision;
  readonly targets: readonly Target[];
  /** Why a decision to act has no executable plan (no workload known, no good version, …); empty: it has. */
  readonly obstacles: readonly string[];
  readonly baselines: readonly Baseline[];
  readonly unverified: readonly string[];
  /** What sources of changes did not say; see `unheardChanges`. */
  readonly unheard: readonly string[];
}
