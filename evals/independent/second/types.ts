/*
 * The words that the parts of the independent incident generator share: an installation with its services, what is done to them
 * (changes, roll-outs), what happens to them (effects), and what is known to be true of it. Times are Unix seconds.
 */

export type Role = "entry" | "core" | "leaf" | "worker" | "store" | "outside";

export interface Edge {
  to: string;
  /** Calls made for each request served. */
  calls: number;
  /** The share of a failed call that fails the request; the rest falls back. */
  hard: number;
  timeoutMs: number;
  retries: number;
  /** Through a queue: neither latency nor errors come back. */
  async: boolean;
}

export interface Service {
  name: string;
  role: Role;
  pods: number;
  /** Requests that a pod can hold at once. */
  workers: number;
  cores: number;
  /** CPU time a request. */
  cpuMs: number;
  /** Median time of its own work, and the spread of its logarithm. */
  ownMs: number;
  sigma: number;
  baseErr: number;
  memBase: number;
  /** Requests a second from outside at the top of an ordinary day. */
  entryRate: number;
  edges: Edge[];
}

/** What happens to one service. Factors are 1 and summands 0 when nothing does; strength grows over `ramp` seconds. */
export interface Effect {
  service: string;
  from: number;
  until?: number;
  ramp?: number;
  /** Decays with this time constant (s). */
  decay?: number;
  /** Only in pods of this change's version. */
  version?: string;
  /** The change that causes it; leaving the change out leaves the effect out. */
  change?: string;
  /** Strength by time, 0 to 1, in place of from, until, ramp and decay. */
  shape?: (t: number) => number;
  err?: number;
  latMul?: number;
  latAddMs?: number;
  /** Widens the tail alone. */
  sigmaAdd?: number;
  cpuMul?: number;
  memAdd?: number;
  /** Share of the memory limit that each pod loses in an hour at ordinary traffic. */
  leakPerHour?: number;
  /** Pods die this many seconds after each start, with a growing back-off. */
  crashAfter?: number;
  /** Share of pods that never pass readiness. */
  unready?: number;
  /** Extra pods that fail readiness and carry no traffic. */
  surge?: number;
  /** Share of pods that are gone. */
  lost?: number;
  podsMul?: number;
  workersMul?: number;
  callMul?: Record<string, number>;
  retries?: Record<string, number>;
  timeoutMs?: Record<string, number>;
  /** Share of this service's calls to the other that the other answers with an error. */
  badCalls?: Record<string, number>;
  loadMul?: number;
  extraRate?: number;
  custom?: Record<string, number>;
}

export interface Stage {
  at: number;
  share: number;
}

export interface Rollout {
  service: string;
  /** The change whose version comes in; `restores` where that is an earlier version. */
  change: string;
  restores?: string;
  stages: Stage[];
  /** Traffic is split by weight, not by ready pods. */
  weighted: boolean;
}

export type Kind = "deploy" | "flag" | "config" | "migration";

export interface Change {
  key: string;
  kind: Kind;
  service: string;
  startedAt: number;
  finishedAt: number | null;
  reversible: boolean;
  canary?: number;
  flag?: string;
  from?: string;
  to?: string;
  restores?: string;
  provides?: Record<string, string>;
  /** Service → the change that brought the version which it needs. */
  requires?: Record<string, string>;
  size: "small" | "medium" | "large";
  source?: string;
  author?: string;
  plainDeploy: boolean;
}

export interface LogSignature {
  service: string;
  level: "info" | "warn" | "error";
  text: string;
  perMinute: number;
  from: number;
  until: number;
  version?: string;
}

export type Action = "rollback" | "feature_flag_disable" | "hotfix_recommendation" | "no_action";

export interface Truth {
  faulty: boolean;
  action: Action;
  acceptable: Action[];
  culprit: string | null;
  targets: string[];
  onset: number | null;
  why: string;
  approval?: boolean;
  /** The harm ends here although the culprit stays (a person took it back). */
  over?: number;
}

export interface CustomMetric {
  service: string;
  metric: string;
  unit: string;
  worse: "up" | "down" | "either" | undefined;
  kind: "queue" | "cache" | "goal" | "connections" | "steal";
  base: number;
}

/** How an installation measures and records itself. */
export interface Profile {
  step: number;
  traffic: "trickle" | "low" | "middle" | "high";
  fineHistory: number;
  coarseDays: number;
  coarseStep: number;
  hasRate: boolean;
  hasP50: boolean;
  hasP99: boolean;
  hasCpu: boolean;
  hasMemory: boolean;
  hasHealth: boolean;
  hasVersions: boolean;
  hasLogs: boolean;
  hasSpans: boolean;
  hasAlerts: boolean;
  histogram: boolean;
  /** The recorded rates look back over this many steps. */
  window: number;
  emptyIsZero: boolean;
  lossRate: number;
  /** Variance of the counts over a Poisson's. */
  dispersion: number;
  digits: number;
  finished: "exact" | "late" | "missing" | "mixed";
  /** Seconds from the recorded start to the first new pod. */
  lead: number;
  restartHurts: boolean;
  gzip: boolean;
}

export interface System {
  services: Service[];
  byName: Map<string, Service>;
  /** Callers before callees. */
  order: Service[];
  customs: CustomMetric[];
  goal: string;
  dayAmplitude: number;
  peakHour: number;
  weekend: number;
  startHourBias: number;
}

export interface Grid {
  start: number;
  dt: number;
  n: number;
}
