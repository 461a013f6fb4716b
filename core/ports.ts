import type { Gap, GapKind } from "./model/assessment.ts";
import type { Change, InfrastructureChange } from "./model/change.ts";
import type { Commit } from "./model/commit.ts";
import type { Alert, FlagState, LogLine, Rollout, Span, Topology } from "./model/evidence.ts";
import type { Incident, OutcomeKind } from "./model/incident.ts";
import type { LastEvaluation } from "./model/last-evaluation.ts";
import type { LedgerEntry } from "./model/ledger-entry.ts";
import type { ActionType, GateAnswer, GateReview, Plan, Target, TargetResult } from "./model/plan.ts";
import type { Series } from "./model/signal.ts";
import type { Window } from "./model/time.ts";

/**
 * What the outside implements. All methods that read may throw `UnshipError` "source.*": the caller then says that
 * this source is down and treats what it would have said as unknown (S9). Times are Unix ms.
 */
export interface Clock {
  now(): number;
}

/** What is waited for: "metrics" of "error_rate". `what` and `detail` together say to people what is unknown without it. */
export interface WaitedFor {
  readonly source: string;
  readonly what: string;
  readonly detail?: string;
}

/** What a source is asked, and what is unknown without its answer. */
export interface Question extends WaitedFor {
  readonly of: GapKind;
  /** The one metric that it is about; absent: it is about no single one. */
  readonly metric?: string;
}

/** How long one evaluation waits for what it has asked. */
export interface Waiting {
  /**
   * True once `answer` has settled, in whichever way; false: it is late, and the evaluation goes on without it. The
   * read goes on beside it. Never throws.
   */
  isThere(question: WaitedFor, answer: Promise<unknown>): Promise<boolean>;
}

/** Sources on their own clocks: the timers stand outside of core. Called once for each round of questions. */
export interface Patience {
  begin(): Waiting;
}

export interface MetricQuery {
  readonly metric: string;
  readonly window: Window;
  readonly stepMs: number;
  /** `policy`: the configured query, as policies judge it. `statistics`: raw, unsmoothed, for tests and onset. */
  readonly purpose: "policy" | "statistics";
  /** Hears, before the answer comes, what it lacks: samples that measure nothing, parts of a storage that did not answer. */
  readonly lacks?: (lack: Lack) => void;
}

/** What one answer lacks: `gap` is partial; `at`: the newest moment of which something is missing, Unix ms. */
export interface Lack {
  readonly gap: Gap;
  readonly at: number;
}

/** Series of one metric for all services at once: one query a metric, not one a service. */
export interface MetricSource {
  readonly name: string;
  /** Metrics that it can answer for, `WELL_KNOWN_METRICS` or custom names. */
  metrics(): readonly string[];
  range(query: MetricQuery, abort: AbortSignal): Promise<readonly Series[]>;
}

export interface ChangeSource {
  readonly name: string;
  /**
   * Every change that started in the window or was still going on in it, oldest first. The window's end may be infinite: then
   * also what the source's own clock dates after the present.
   */
  changes(window: Window, abort: AbortSignal): Promise<readonly Change[]>;
}

/** What a change brought, in words; see `Commit`. */
export interface CommitSource {
  readonly name: string;
  /** The commits of a change, oldest first; empty: it knows of none. */
  commits(change: Change, abort: AbortSignal): Promise<readonly Commit[]>;
}

/** What is done to the ground that services run on; see `InfrastructureChange`. */
export interface InfrastructureSource {
  readonly name: string;
  /** All that began in the window or was still going on in it, oldest first. */
  infrastructure(window: Window, abort: AbortSignal): Promise<readonly InfrastructureChange[]>;
}

export interface LogQuery {
  readonly window: Window;
  readonly services?: readonly string[];
  readonly levels?: readonly LogLine["level"][];
  readonly text?: string;
  /** At most so many, newest first; the answer says whether more matched. */
  readonly limit: number;
}

export interface LogSource {
  readonly name: string;
  search(query: LogQuery, abort: AbortSignal): Promise<{ readonly lines: readonly LogLine[]; readonly more: boolean }>;
}

export interface TraceSource {
  readonly name: string;
  /** Spans that started in the window; those with errors and their ancestors come first when `limit` cuts. */
  spans(
    query: {
      readonly window: Window;
      readonly services?: readonly string[];
      readonly errorsOnly?: boolean;
      readonly limit: number;
    },
    abort: AbortSignal,
  ): Promise<{ readonly spans: readonly Span[]; readonly more: boolean }>;
}

export interface TopologySource {
  readonly name: string;
  topology(abort: AbortSignal): Promise<Topology>;
}

export interface FlagSource {
  readonly name: string;
  flags(abort: AbortSignal): Promise<readonly FlagState[]>;
}

export interface AlertSource {
  readonly name: string;
  alerts(window: Window, abort: AbortSignal): Promise<readonly Alert[]>;
}

/** What runs where, and what could be restored. */
export interface RolloutSource {
  readonly name: string;
  rollouts(abort: AbortSignal): Promise<readonly Rollout[]>;
}

/** What stands at a target right now, as its own system says. */
export interface TargetState {
  readonly version: string;
  readonly revision: string;
  /** Why it cannot be taken back now (paused, GitOps-managed, revision gone, …); empty: it can. */
  readonly obstacles: readonly string[];
  /** What will stay undone or would bring the bad version back. */
  readonly warnings: readonly string[];
  /** Begun by anyone else since the plan: makes the plan stale (S6). */
  readonly changedBy?: string;
  /**
   * The pods that it has now, and what the version to restore has less of than the present one, in words ("the CPU
   * limit of app is 500m, not 1"). Absent: not known. A flag has none.
   */
  readonly capacity?: { readonly replicas: number; readonly less: readonly string[] };
  /** Names of all that would change with it beside the target: the resources of an application, the services that evaluate a flag. Absent: not known. */
  readonly reaches?: readonly string[];
  /**
   * Names of what else lies in it and runs nothing by itself (Services, ConfigMaps, …). Nobody has to describe them, but
   * one that is protected holds the plan.
   */
  readonly touches?: readonly string[];
}

/**
 * Writes to production. Only the gate holds one. `execute` checks the target's `expected` at the target itself,
 * atomically where its API can, and never writes unconditionally. It does not throw for what can be answered. A failure that may
 * have changed something though the target stands at its version as before says `untouched: false`.
 * `key` is the same for each try of the same target of the same plan.
 */
export interface Executor {
  readonly action: ActionType;
  /** How long one act may take, ms, where that is longer than acts usually do. */
  readonly executeTimeoutMs?: number;
  inspect(target: Target, abort: AbortSignal): Promise<TargetState>;
  dryRun(target: Target, abort: AbortSignal): Promise<TargetResult>;
  execute(target: Target, key: string, abort: AbortSignal): Promise<TargetResult>;
  /** After a crash or a time-out: what came of `execute(target, key)`, from the target's real state. Never writes. */
  reconcile(target: Target, key: string, abort: AbortSignal): Promise<TargetResult>;
  /** Whether what `execute` did has come into effect everywhere. Never writes. Absent: it does so at once. */
  arrived?(target: Target, abort: AbortSignal): Promise<Arrival>;
}

/** `coming`: not yet. `not-coming`: it will not by itself (stuck, paused, replaced meanwhile). */
export interface Arrival {
  readonly state: "arrived" | "coming" | "not-coming";
  readonly detail: string;
}

export interface Notice {
  readonly incidentId: string;
  readonly title: string;
  /** What is degraded, where the title says what is asked: shown with it, before a plan. Not among `lines`. */
  readonly symptom?: string;
  readonly lines: readonly string[];
  readonly severity: "info" | "warning" | "critical";
  /** As the configuration names it: "slack:#incidents". */
  readonly to: string;
  /** The plan that it is about. What is said of two plans is never the same notice sent twice. */
  readonly planId?: string;
  /** A plan that waits for a person: where the channel can take answers, it offers them for exactly this. */
  readonly asks?: { readonly planId: string; readonly planHash: string; readonly diff: readonly string[] };
  /**
   * Earlier notices of the incident whose alerts are over: a pager resolves exactly those and opens none. `planId` as theirs. Only of
   * an incident that is recorded as recovered.
   */
  readonly resolves?: readonly { readonly title: string; readonly planId?: string }[];
}

/** Tells people. `delivered: false` with a reason where no connector serves the target. */
export interface Notifier {
  notify(notice: Notice): Promise<{ readonly delivered: boolean; readonly detail: string }>;
}

export type { LedgerEntry };

/** The last entry, which by its hash stands for all before it. An empty ledger: 0, and 64 zeros. */
export type LedgerHead = Pick<LedgerEntry, "seq" | "hash">;

export type LedgerDraft = Pick<LedgerEntry, "kind" | "incidentId" | "planId" | "actor" | "body">;

/**
 * The truth: what was seen, decided, permitted, done. Append-only and hash-chained; safe for several processes.
 * Every write is durable when its promise resolves. Time in it is the store's own and never runs backwards (S2).
 * What the gate alone needs (reservation, permits, approvals) stands in its own port, `GateStore`.
 */
/** An incident whose row holds none, and what is known of it all the same: a sentence's end. */
export interface DamagedIncident {
  readonly id: string;
  readonly reason: string;
}

export interface Ledger {
  append(draft: LedgerDraft): Promise<LedgerEntry>;
  /** Oldest first, and all that fit the filter unless it sets a limit: nothing is cut off silently. */
  entries(filter?: {
    readonly incidentId?: string;
    readonly planId?: string;
    readonly kinds?: readonly string[];
    readonly afterSeq?: number;
    readonly limit?: number;
  }): Promise<readonly LedgerEntry[]>;
  /** Stores the incident as it stands now: an entry, and the row that readers list. */
  saveIncident(incident: Incident): Promise<void>;
  incident(id: string): Promise<Incident | null>;
  /**
   * Newest first; all of them unless a limit is set. `savedSince`: those that were saved at or after this moment of the
   * ledger's time, as a closed one was when it closed. `lacking`: those of which no entry of this kind speaks.
   *
   * One whose row is damaged is read from the entry that saved it last. `onDamaged` is told of each; where the entry is
   * damaged too the incident is left out, and without `onDamaged` that throws `ledger.corrupt`: whoever cannot say so must
   * not decide as if there were no such incident.
   */
  incidents(
    filter?: {
      readonly open?: boolean;
      readonly savedSince?: number;
      readonly lacking?: string;
      readonly limit?: number;
    },
    onDamaged?: (damaged: DamagedIncident) => void,
  ): Promise<readonly Incident[]>;
  plan(id: string): Promise<Plan | null>;
  /** Paused for all, or for these services; anyone may pause, an approver resumes (S14). */
  pauses(): Promise<readonly { readonly scope: string; readonly by: string; readonly at: number }[]>;
  /** What the watch says of its newest evaluation, in place of what it said before; in no entry, and nothing is decided by it. */
  saveEvaluation(last: LastEvaluation): Promise<void>;
  /** null: none was recorded, or what was cannot be read. */
  lastEvaluation(): Promise<LastEvaluation | null>;
  head(): Promise<LedgerHead>;
  /** Recomputes every hash from the first entry. `heads`: ends that somebody vouches for, which the chain must contain. */
  verify(heads?: readonly LedgerHead[]): Promise<{
    readonly ok: boolean;
    readonly entries: number;
    readonly head: string;
    readonly problems: readonly { readonly seq: number; readonly reason: string }[];
  }>;
  close(): Promise<void>;
}

/** A past incident as it is found again. */
export interface RecalledIncident {
  readonly incidentId: string;
  readonly at: number;
  readonly summary: string;
  readonly outcome: OutcomeKind;
  readonly score: number;
}

/** The index of past incidents: rebuilt from the ledger at any time, never the truth itself. Advice, never evidence. */
export interface IncidentStore {
  remember(incident: Incident): Promise<void>;
  recall(query: {
    readonly text: string;
    readonly services?: readonly string[];
    readonly limit: number;
  }): Promise<readonly RecalledIncident[]>;
  rebuild(incidents: readonly Incident[]): Promise<void>;
  close(): Promise<void>;
}

export interface PlanDraft {
  readonly incidentId: string;
  readonly targets: readonly Target[];
  readonly reason: string;
  readonly proposedBy: string;
}

/**
 * How a person shows who they are. A text is a personal token given at the desk: typed at a terminal, or from a file.
 * `channel`: a personal token that came to the gate's own process, from whoever can reach it.
 * `http`: what came over the network as a bearer token. `slack`: the press of a button, which speaks for one plan alone.
 */
export type Proof =
  | string
  | { readonly via: "channel"; readonly token: string }
  | { readonly via: "http"; readonly bearer: string }
  | ({ readonly via: "slack" } & SignedRequest);

/** A request of Slack: the body byte by byte, and the two headers that vouch for it. */
export interface SignedRequest {
  readonly body: string;
  readonly signature: string;
  readonly timestamp: string;
}

/** The one door to production. Plain data in and out, so that it can be a process of its own. */
export interface Gate {
  propose(draft: PlanDraft): Promise<{ readonly plan: Plan; readonly review: GateReview }>;
  submit(planId: string): Promise<GateAnswer>;
  /**
   * Whom a proof names. Throws `identity.refused` (at the desk `approval.refused`), and writes it down unless `record`
   * is false.
   */
  identify(proof: Proof, record?: boolean): Promise<{ readonly by: string }>;
  /**
   * `seenHash`: the hash of the plan as the person read it; another one is refused. `stillNeeded`: how many more people
   * have to approve before the plan may run.
   */
  approve(
    planId: string,
    proof: Proof,
    seenHash?: string,
  ): Promise<{ readonly by: string; readonly expiresAt: number; readonly stillNeeded: number }>;
  reject(planId: string, proof: Proof, reason: string, seenHash?: string): Promise<{ readonly by: string }>;
  pause(scope: string, by: string): Promise<void>;
  resume(scope: string, proof: Proof): Promise<{ readonly by: string }>;
  /**
   * Stops the pages of one open incident until a time, or until something worse adds to it (S14). `at`, `until`: the
   * ledger's time. Throws `incident.unknown`, `approval.refused`, `input.invalid`.
   */
  acknowledge(incidentId: string, proof: Proof, asked: Acknowledge): Promise<AcknowledgedUntil>;
  /**
   * After a restart, and at any time: every intent without a result is reconciled against its target before anything
   * else (S5); then people are reminded of plans that wait for them, and the next in line is told; and of incidents whose
   * acknowledgement is over they are paged once more.
   */
  recover(): Promise<readonly GateAnswer[]>;
}

/** How an incident is acknowledged: as one that is worked on, or one that can wait, for how long (ms), and why. */
export interface Acknowledge {
  readonly as: "acknowledge" | "snooze";
  readonly forMs: number;
  readonly note: string;
}

export interface AcknowledgedUntil {
  readonly by: string;
  readonly at: number;
  readonly until: number;
}

/** What reads; any of it may be absent, and then its part of the evidence is unknown. */
export interface Sources {
  readonly metrics: readonly MetricSource[];
  readonly changes: readonly ChangeSource[];
  readonly logs: readonly LogSource[];
  readonly traces: readonly TraceSource[];
  readonly topology: readonly TopologySource[];
  readonly flags: readonly FlagSource[];
  readonly rollouts: readonly RolloutSource[];
  readonly alerts: readonly AlertSource[];
  /** Absent: nobody tells of it. */
  readonly infrastructure?: readonly InfrastructureSource[];
  /** Absent: no source has commits. */
  readonly commits?: readonly CommitSource[];
}
