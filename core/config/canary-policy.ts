export interface CanaryPolicy {
  readonly enabled: boolean;
  readonly baselineDurationMs: number;
  readonly comparisonMetrics: readonly string[];
  readonly minimumConfidence: number;
  readonly autoPromoteOnPass: boolean;
  readonly autoRollbackOnFail: boolean;
  readonly judge: "sequential" | "kayenta";
  readonly kayenta: KayentaPolicy;
}

/** What Kayenta's judge is told, in the terms of its own canary configuration. Scores and weights 0–100. */
export interface KayentaPolicy {
  readonly pass: number;
  readonly marginal: number;
  readonly groupWeights: Readonly<Record<string, number>>;
  /** By metric name; what is left out is judged by Kayenta's defaults, in the direction in which the metric hurts. */
  readonly metrics: Readonly<Record<string, KayentaMetric>>;
}

export interface KayentaMetric {
  readonly groups?: readonly string[];
  readonly muted?: boolean;
  readonly direction?: "increase" | "decrease" | "either";
  readonly nanStrategy?: "remove" | "replace";
  readonly critical?: boolean;
  readonly mustHaveData?: boolean;
  readonly measure?: "meanRatio" | "cles";
  /** [decrease, increase]: effects that count, and effects that fail a critical metric. */
  readonly effect?: readonly [number, number];
  readonly criticalEffect?: readonly [number, number];
  /** Factor of the interquartile range beyond which values are left out; absent: all are kept. */
  readonly outlierFactor?: number;
}
