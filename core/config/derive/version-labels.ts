import type { LabelSpread, MetricFamily, Ranked, SeenWorkload } from "./evidence.ts";
import { coverageOf, kindOfValues, percent } from "./label-values.ts";

/** Labels that name the version by convention, the plainest first: OpenTelemetry, Kubernetes, Istio, images, the pod's own hash. */
const USUAL = [
  "version",
  "service_version",
  "app_version",
  "app_kubernetes_io_version",
  "destination_version",
  "destination_canonical_revision",
  "image_tag",
  "tag",
  "release",
  "revision",
  "commit",
  "git_commit",
  "pod_template_hash",
];
/** Versions of something else: of the protocol, the language, the library that counts. */
const OF_OTHERS =
  /^(le|quantile|source_.*|client_.*)$|protocol|http_(version|flavor)|runtime|^go_|scope|telemetry|sdk|tls|schema/;
const LEAST_COVERAGE = 0.5;

/**
 * The labels of a metric that may name the version that served, the best first. For one speak values that run in the
 * cluster or look like versions, and that a process has one alone; its name only between equals.
 */
export function rankVersionLabels(
  { spreads }: Pick<MetricFamily, "spreads">,
  workloads: readonly SeenWorkload[] | null,
): readonly Ranked[] {
  const running = new Set((workloads ?? []).map(({ version }) => version).filter((version) => version !== ""));
  return spreads
    .filter((spread) => !OF_OTHERS.test(spread.label) && spread.onePerProcess !== false)
    .filter((spread) => spread.values.length > 0 && coverageOf(spread) >= LEAST_COVERAGE)
    .map((spread) => ({ spread, shared: sharedWith(spread, running) }))
    .filter(({ spread, shared }) => shared > 0 || (kindOfValues(spread) === "version" && spread.label !== "instance"))
    .sort(
      (one, other) =>
        other.shared - one.shared ||
        usual(one.spread.label) - usual(other.spread.label) ||
        one.spread.label.localeCompare(other.spread.label),
    )
    .map(({ spread, shared }) => ({
      label: spread.label,
      fits: true,
      overlap: running.size === 0 ? null : shared,
      why: whyOf(spread, shared),
    }));
}

/** The share of the label's values that are versions which run. */
function sharedWith({ values }: LabelSpread, running: ReadonlySet<string>): number {
  return values.length === 0 ? 0 : values.filter(({ value }) => running.has(value)).length / values.length;
}

function whyOf(spread: LabelSpread, shared: number): string {
  const values = spread.values.map(({ value }) => value);
  const shown = `${values.slice(0, 3).join(", ")}${values.length > 3 ? ", …" : ""}`;
  const runs = shared === 0 ? "its values resemble versions" : `${percent(shared)} of its values run in the cluster`;
  return `${runs} (${shown}), on ${percent(coverageOf(spread))} of the series`;
}

const usual = (label: string): number => {
  const at = USUAL.indexOf(label);
  return at === -1 ? USUAL.length : at;
};
