import type { BundleFiles } from "../scenarios/observe/bundle.ts";
import type { SeriesLine } from "../scenarios/observe/series.ts";
import { withoutVersionSplit } from "../scenarios/variants.ts";
import type { PlannedChange } from "../scenarios/world/model.ts";

const HEALTH = "health_check_failures";

/**
 * The bundle as monitoring would have recorded it that counts failed checks and requests by version, and nothing else: all
 * checks that fail while both versions serve are of the pods that the change brings.
 */
export function withReadinessByVersion(files: BundleFiles, { service, to }: PlannedChange): BundleFiles {
  const series = (files["series.jsonl"] ?? "")
    .trim()
    .split("\n")
    .map((line): SeriesLine => JSON.parse(line));
  const whole = series.find((one) => one.service === service && one.metric === HEALTH && one.labels === undefined);
  const rates = series.filter(
    (one) => one.service === service && one.metric === "request_rate" && one.labels?.version !== undefined,
  );
  const readiness = rates.map(({ start, step, values, labels }): SeriesLine => {
    const first = whole === undefined ? 0 : Math.round((start - whole.start) / step);
    const failed = values.map((_, i) => (labels?.version === to ? (whole?.values[first + i] ?? null) : 0));
    return {
      service,
      metric: HEALTH,
      unit: "count",
      start,
      step,
      values: failed,
      ...(labels === undefined ? {} : { labels }),
    };
  });
  const more = [...rates, ...readiness].map((line) => `${JSON.stringify(line)}\n`).join("");
  const plain = withoutVersionSplit(files);
  return { ...plain, "series.jsonl": `${plain["series.jsonl"] ?? ""}${more}` };
}
