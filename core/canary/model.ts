import type { Series, Worse } from "../model/signal.ts";

/** Two versions side by side, and how they are to be judged. */
export interface CanaryInput {
  /** Series of the stable version; samples from before `since` show how much it wanders, and are not compared with. */
  readonly baseline: readonly Series[];
  readonly canary: readonly Series[];
  /** Metrics to compare; one that either side lacks is unknown. Null: all that either side has. */
  readonly metrics: readonly string[] | null;
  /** When the canary began to serve, Unix ms; null: with its first sample. */
  readonly since: number | null;
  /** Nothing later is read; Unix ms. */
  readonly now: number;
  /** The longest that it is judged, ms. */
  readonly boundMs: number;
  /** No more will come: what is undecided at the end of the samples stays so. */
  readonly complete: boolean;
  /** 0–1: the chance that the verdict as a whole is right. */
  readonly confidence: number;
  /** The label that tells versions apart; it is no part of what a series is. */
  readonly versionLabel: string;
}

/** `continue`: not sure yet, and there is time left. `inconclusive`: not sure, and no time is left. */
export type CanaryVerdict = "pass" | "fail" | "marginal" | "inconclusive" | "continue";

/** What is said of one metric. `unknown`: no samples, or not enough of them to compare. */
export type MetricVerdict = "worse" | "no-worse" | "inconclusive" | "unknown";

export interface MetricJudgement {
  readonly service: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly verdict: MetricVerdict;
  /** Means over the samples that were compared, in the metric's unit; null: none. */
  readonly baseline: number | null;
  readonly canary: number | null;
  /** Samples in which both were measured. */
  readonly samples: number;
  /** Log e-values (nats) for "worse" and for "not materially worse"; null: this judge has none. */
  readonly evidence: { readonly worse: number; readonly noWorse: number } | null;
  /** One sentence with figures. */
  readonly because: string;
}

export interface CanaryJudgement {
  readonly judge: "sequential" | "kayenta";
  readonly verdict: CanaryVerdict;
  /** The span that was compared, Unix ms; `until` is the moment of the verdict, or of the newest sample. */
  readonly since: number | null;
  readonly until: number | null;
  /** Samples compared, and how many the bound allows. */
  readonly samples: number;
  readonly mostSamples: number;
  readonly confidence: number;
  /** In the order of service, metric and labels. */
  readonly metrics: readonly MetricJudgement[];
  /** Kayenta's score, 0–100; null under the other judge. */
  readonly score: number | null;
  /** The verdict in words: what decided it, and why now. */
  readonly why: readonly string[];
}

/** One metric of both versions on one grid; NaN is missing. */
export interface Pair {
  readonly service: string;
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly unit: string;
  readonly worse: Worse;
  readonly baseline: readonly number[];
  readonly canary: readonly number[];
  /** The baseline's samples before the canary served, oldest first. */
  readonly past: readonly number[];
  /** Requests in each step; null where a side's traffic is not known. */
  readonly requests: { readonly baseline: readonly number[]; readonly canary: readonly number[] } | null;
  readonly pastRequests: readonly number[] | null;
}

export interface Paired {
  readonly pairs: readonly Pair[];
  /** Time of the first sample compared; sample i ends at `startAt` + i·`stepMs`. */
  readonly startAt: number;
  readonly stepMs: number;
  readonly length: number;
}
