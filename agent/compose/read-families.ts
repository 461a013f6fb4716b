import type { LabelSpread, MetricFamily } from "../../core/config/derive/evidence.ts";
import type { Catalogue } from "../../mcp-tools/connectors/prometheus/catalogue.ts";

/** Labels that never name a service, version or status; they are not asked for. */
const PASSED_OVER = new Set(["__name__", "quantile", "instance"]);
/** A label with a name of its own for each request or route is asked like any other, but a metric with more labels is not one of requests. */
const MOST_LABELS = 40;

/**
 * A metric as the server holds it: how many series and processes, and what each of its labels has for values. null where it has
 * no series now. One question a label, and one more for whether a process has a single value of it.
 */
export async function readFamily(
  catalogue: Catalogue,
  metric: string,
  abort: AbortSignal,
): Promise<MetricFamily | null> {
  const { selectorOf } = await import("../../mcp-tools/connectors/prometheus/catalogue.ts");
  const counted = (await catalogue.counts([metric], abort)).get(metric);
  if (counted === undefined) return null;
  const labels = await catalogue.labelNames(selectorOf(metric), abort);
  const spreads: LabelSpread[] = [];
  // One after the other: a Prometheus that serves dashboards, too, should not notice.
  for (const label of labels.filter((one) => !PASSED_OVER.has(one)).slice(0, MOST_LABELS)) {
    const spread = await catalogue.spread(metric, label, abort);
    if (spread !== null) spreads.push(spread);
  }
  return { name: metric, ...counted, labels, spreads };
}
