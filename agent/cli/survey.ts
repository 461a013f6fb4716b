import type { FlagsDraft } from "../../core/config/derive/draft.ts";
import type { MetricFamily, SeenWorkload } from "../../core/config/derive/evidence.ts";

/** What a Prometheus has that fits: metrics that may count requests, and histograms that may measure how long they take. */
export interface MetricsSurvey {
  readonly version: string;
  /** The variable whose token was sent; null: none was needed. */
  readonly tokenVariable: string | null;
  /** How many metrics it has. */
  readonly metrics: number;
  readonly requests: readonly MetricFamily[];
  readonly latencies: readonly MetricFamily[];
}

export interface ClusterChoice {
  /** null: the one that was detected, or the account of the pod. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
  /** Empty: wherever the credential may look. */
  readonly namespaces: readonly string[];
}

export interface ClusterSurvey {
  readonly server: string;
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly workloads: readonly SeenWorkload[];
  /** Where was looked; "*": everywhere. */
  readonly looked: readonly string[];
  /** Why not everywhere, where that was wanted; null: nothing kept it. */
  readonly narrowed: string | null;
}

export interface ArgocdSurvey {
  readonly version: string;
  readonly tokenVariable: string | null;
  readonly applications: readonly string[];
}

export type FlagsChoice = Omit<FlagsDraft, "why">;

/** The highest value of a metric over all services in the last day, in the metric's own unit. */
export interface Highest {
  readonly value: number;
  readonly service: string;
}

/** Asks live systems what is there. Only reads; each question throws `UnshipError` where there is no answer. */
export interface Surveyor {
  /** What was found on this machine, as defaults: a Prometheus that answers, a kubeconfig that is there. */
  detect(abort: AbortSignal): Promise<{ readonly prometheus: string | null; readonly kubeconfig: string | null }>;
  metrics(endpoint: string, abort: AbortSignal): Promise<MetricsSurvey>;
  cluster(choice: ClusterChoice, abort: AbortSignal): Promise<ClusterSurvey>;
  argocd(endpoint: string, abort: AbortSignal): Promise<ArgocdSurvey>;
  /** Keys of the flags; null: the variable of the token is not set, and nobody was asked. */
  flags(choice: FlagsChoice, abort: AbortSignal): Promise<readonly string[] | null>;
  /** How many services a Zipkin knows. */
  spans(endpoint: string, abort: AbortSignal): Promise<number>;
  /** null: no value in the last day. */
  highest(
    asked: {
      readonly endpoint: string;
      readonly metric: string;
      readonly query: string;
      readonly unit: string | null;
      readonly serviceLabel: string;
    },
    abort: AbortSignal,
  ): Promise<Highest | null>;
}
