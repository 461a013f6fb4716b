/** What a scenario is made of. Times are Unix ms, durations ms unless named otherwise, latencies ms, rates requests a second. */

export type Tier = "entry" | "middle" | "leaf" | "store" | "external";
export type Level = "low" | "medium" | "high" | "critical";
export type Kind = "deploy" | "flag" | "config" | "migration";

/** One service as it is when nothing is wrong. */
export interface ServiceModel {
  readonly name: string;
  readonly namespace: string;
  readonly tier: Tier;
  readonly criticality: Level;
  readonly revenuePerMinute: number | null;
  /** Requests a second that come from outside the system, on average over a week. */
  readonly directRate: number;
  /** Requests a second at the daily mean, calls included; what capacity is planned for. */
  readonly expectedRate: number;
  readonly pods: number;
  /** Share of capacity used at the expected rate. */
  readonly utilisation: number;
  /** Median of its own work, callees apart. */
  readonly ownMedianMs: number;
  /** Standard deviation of the logarithm of its own work: the tail. */
  readonly tail: number;
  readonly baseError: number;
  /** Variance of a count over its mean: 1 is Poisson. */
  readonly dispersion: number;
  /** Standard deviation and correlation time of the slow wander of the log of latency, error probability and memory. */
  readonly wander: { readonly latency: number; readonly errors: number; readonly seconds: number };
  readonly idleCpu: number;
  readonly memory: number;
  readonly cached: boolean;
  /** What a pod does in its first seconds: slower work, and requests that die with the pod it replaces. */
  readonly warmUp: { readonly seconds: number; readonly factor: number; readonly resets: number };
  readonly version: { readonly major: number; readonly minor: number };
}

/** Caller and callee, and what the caller does when the callee fails. */
export interface Call {
  readonly caller: string;
  readonly callee: string;
  readonly perRequest: number;
  readonly timeoutMs: number;
  readonly attempts: number;
  /** Share of failed calls that the caller hides from its own callers. */
  readonly fallback: number;
  readonly lagSeconds: number;
  /** Through a queue: the caller does not wait and does not suffer. */
  readonly queue: boolean;
}

export interface Traffic {
  readonly dailySwing: number;
  readonly peakHour: number;
  readonly weekend: number;
  /** Standard deviation and correlation time of the log of the load. */
  readonly wander: { readonly spread: number; readonly seconds: number };
  readonly burstsPerHour: number;
  /** A peak that comes every day at the same time. */
  readonly daily: { readonly atHour: number; readonly minutes: number; readonly factor: number } | null;
}

export interface SystemModel {
  readonly services: readonly ServiceModel[];
  readonly calls: readonly Call[];
  readonly traffic: Traffic;
}

/** A change as it really happens: what the bundle's line says, and the shares of pods that it replaces over time. */
export interface PlannedChange {
  readonly id: string;
  readonly kind: Kind;
  readonly service: string;
  readonly from: string;
  readonly to: string;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly source: string;
  readonly reversible: boolean;
  readonly author: string;
  readonly commit?: string;
  readonly message?: string;
  readonly diff?: { readonly files: number; readonly insertions: number; readonly deletions: number };
  readonly flag?: string;
  readonly environment?: string;
  readonly canary?: number;
  readonly provides?: Readonly<Record<string, string>>;
  readonly requires?: Readonly<Record<string, string>>;
  /** Of a deploy: from when on which share of the traffic goes to the new version. Ascending. */
  readonly shares: readonly Step[];
  /** Of a deploy that brings back what served before an earlier one: that one's id. Not written down: `to` says it. */
  readonly undoes?: string;
}

/** One step of a staircase: from this time on, this share. */
export interface Step {
  readonly at: number;
  readonly share: number;
}

/**
 * Something that makes a service worse, or busier, for a while. All strengths are those at full activity.
 * `because`: the change that makes it, null when no change does. `withVersion`: it acts only where that change's
 * version serves. `fixedBy`: it is gone where that later change's version serves.
 */
export interface Fault {
  readonly because: string | null;
  readonly service: string;
  readonly from: number;
  readonly to: number;
  readonly withVersion?: boolean;
  readonly fixedBy?: string;
  /** Linear growth to full activity over this long; 0 or absent: at once. */
  readonly rampMs?: number;
  /** Activity decays from the start with this time constant. */
  readonly fadeMs?: number;
  /** Activity as a staircase, of 1: nothing before the first step. For what reaches a service through another's rollout. */
  readonly steps?: readonly Step[];
  /** Active for `onMs` in each `everyMs`. */
  readonly pulse?: { readonly everyMs: number; readonly onMs: number };
  /** Probability that a request fails by itself. */
  readonly errors?: number;
  readonly latencyFactor?: number;
  readonly addedMs?: number;
  /** A share of the requests is held up by this long, all others not at all: a pause, a lost packet, a scan. */
  readonly stall?: { readonly share: number; readonly ms: number };
  /** Requests a second that some pool can serve; more of them wait, then fail. The processor does not show it. */
  readonly ceiling?: number;
  /** Requests a second that an allowance shared by all pods grants; those beyond it are refused. A version's alone, where the fault is one. */
  readonly quota?: number;
  /** Share of the requests that get an error at the door, before anything is called for them. */
  readonly turnedAway?: number;
  /** Share of the requests of one caller that get an error; those of all others do not. */
  readonly rejects?: { readonly caller: string; readonly share: number };
  /** Messages a second that a reader takes from its queue at most, however idle it is. */
  readonly takesAtMost?: number;
  /** Messages that the queue of this reader holds; what is sent to a full one is lost, and its sender's request fails. */
  readonly queueLimit?: number;
  /** Work for each request, of 1. */
  readonly cpuFactor?: number;
  /** Capacity that is left, of 1. */
  readonly capacityFactor?: number;
  /** Share of the memory limit gained each hour. */
  readonly memoryPerHour?: number;
  /** Share of the pods that fail readiness. */
  readonly unready?: number;
  /** Calls to one callee for each request, of 1. */
  readonly calls?: { readonly callee: string; readonly factor: number };
  /** Another timeout and number of attempts for the calls to one callee, while active by half or more. */
  readonly calling?: { readonly callee: string; readonly timeoutMs: number; readonly attempts: number };
  /** Share of the calls to this service that fail before they reach it. */
  readonly refused?: number;
  /** Connections to this store that are opened and never closed, an hour. */
  readonly leftOpenPerHour?: number;
  /** Traffic from outside, of 1. */
  readonly loadFactor?: number;
  /** Share of cache hits lost. */
  readonly cacheMiss?: number;
  /** What the service writes when a request fails of this; `{id}` varies. */
  readonly signature?: string;
  /** Its strength may be raised until it can be seen: see visibility.ts. */
  readonly main?: boolean;
  /** Nobody could see it from its start: onset is when it first hurts. */
  readonly latent?: boolean;
}

/** Where samples are missing: every series of the service (null: of all services), or of one metric. */
export interface Gap {
  readonly service: string | null;
  readonly metric: string | null;
  readonly from: number;
  readonly to: number;
}

/** Where the monitoring reads only some of a service's pods: sums over pods shrink to this share, means and ratios do not. */
export interface Unread {
  readonly service: string;
  readonly share: number;
  readonly from: number;
  readonly to: number;
}

export interface Grid {
  readonly start: number;
  readonly stepMs: number;
  readonly length: number;
}

export interface Clock {
  readonly historyStart: number;
  readonly watchStart: number;
  readonly watchEnd: number;
  readonly stepMs: number;
}

/** A line that is in the log whatever the simulation says. */
export interface FixedLine {
  readonly at: number;
  readonly service: string;
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  readonly message: string;
  readonly version?: string;
}

/** Everything that happens in one bundle. */
export interface Scenario {
  readonly family: string;
  readonly why: string;
  readonly clock: Clock;
  readonly system: SystemModel;
  readonly changes: readonly PlannedChange[];
  readonly faults: readonly Fault[];
  readonly gaps: readonly Gap[];
  readonly unread?: readonly Unread[];
  readonly lines: readonly FixedLine[];
  /** Services that nothing measures: of them the record holds changes alone. */
  readonly unmeasured?: readonly string[];
  /** Services whose series begin late, and when. */
  readonly lateStart: readonly { readonly service: string; readonly at: number }[];
  readonly evidence: {
    readonly logs: boolean;
    readonly spans: boolean;
    readonly alerts: boolean;
    readonly pods: boolean;
    readonly coarseDays: number;
    readonly topology: boolean;
  };
  readonly human: {
    readonly action: string;
    readonly change_id?: string;
    readonly at?: number;
    readonly note?: string;
  } | null;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
