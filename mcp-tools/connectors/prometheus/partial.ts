import type { Gap } from "../../../core/model/assessment.ts";
import type { Answer } from "./answer.ts";

/** PromQL's own remarks on a query stand among the warnings, and speak of no data that is missing. */
const REMARK = /^PromQL (warning|info):/;

/**
 * Whether some storage behind an answer did not answer: VictoriaMetrics and others say `isPartial`, Thanos and
 * Prometheus' remote read put the storage's error among `warnings` and give what the others hold.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview
 * @see https://thanos.io/tip/components/query.md/#partial-response
 */
export function isPartial({ isPartial, warnings = [] }: Answer): boolean {
  return isPartial === true || warnings.some((text) => !REMARK.test(text));
}

/** Which metrics' last answers were partial: what they lack is unknown (S9). What the remote said stays out (S11). */
export function createPartialAnswers(source: string) {
  const partial = new Set<string>();
  return {
    /** `metric` was asked as `how` ("policy"), and answered in these parts. */
    take(metric: string, how: string, answers: readonly Answer[]): void {
      const key = JSON.stringify([metric, how]);
      if (answers.some(isPartial)) partial.add(key);
      else partial.delete(key);
    },
    gaps: (): readonly Gap[] =>
      [...partial].map((key) => {
        const [metric, how] = JSON.parse(key) as [string, string];
        const because = "a part of it did not answer, the rest did";
        return { source, what: `metrics: ${metric} (${how})`, because };
      }),
  };
}
