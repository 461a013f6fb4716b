import { type LabelSpread, type MetricFamily, namesOf, type Ranked, type SeenWorkload } from "./evidence.ts";
import { coverageOf, kindOfValues, percent } from "./label-values.ts";

/**
 * Labels that name the service by convention, the plainest first; only between labels for which the same speaks does the
 * order count. `service.name` of OpenTelemetry, the recommended labels of Kubernetes, Istio's destination, what
 * kube-state-metrics and cAdvisor write, and last Prometheus' own `job`, which is whatever the scrape was called.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/resource/#service
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
 */
const USUAL = [
  "service",
  "service_name",
  "app_kubernetes_io_name",
  "label_app_kubernetes_io_name",
  "app",
  "application",
  "destination_canonical_service",
  "destination_workload",
  "workload",
  "deployment",
  "component",
  "container",
  "exported_job",
  "job",
];
/** What these name is the histogram's or the scrape's, or whoever calls. */
const NEVER = /^(__.*|le|quantile|instance|source_.*|client_.*|caller)$/;
/** A label on fewer of the series would leave most of the traffic without a service. */
const LEAST_COVERAGE = 0.5;

interface Candidate extends Ranked {
  readonly onePerProcess: boolean | null;
  readonly coverage: number;
  readonly isWorkload: number;
  readonly values: number;
}

/**
 * The labels of a metric that may name the service, the best first, each with what speaks for it. What is seen decides:
 * how many of the workloads' names are among the values, whether a process has one value alone, on how many of the series
 * it is; the label's own name only between equals. Labels whose values are addresses, statuses, versions … are left out.
 *
 * @param workloads what runs; null: not known
 */
export function rankServiceLabels(
  { spreads }: Pick<MetricFamily, "spreads">,
  workloads: readonly SeenWorkload[] | null,
): readonly Ranked[] {
  const known = workloads === null || workloads.length === 0 ? null : workloads;
  return spreads
    .filter((spread) => mayNameServices(spread))
    .map((spread): Candidate => candidate(spread, known))
    .sort(
      (one, other) =>
        other.isWorkload - one.isWorkload ||
        steps(other.onePerProcess) - steps(one.onePerProcess) ||
        Number(other.coverage >= 0.99) - Number(one.coverage >= 0.99) ||
        usual(one) - usual(other) ||
        Number(other.values > 1) - Number(one.values > 1) ||
        other.coverage - one.coverage ||
        one.label.localeCompare(other.label),
    )
    .map(({ label, fits, why, overlap }) => ({ label, fits, why, overlap }));
}

function mayNameServices(spread: LabelSpread): boolean {
  if (NEVER.test(spread.label) || spread.values.length === 0 || coverageOf(spread) < LEAST_COVERAGE) return false;
  return kindOfValues(spread) === "name";
}

function candidate(spread: LabelSpread, workloads: readonly SeenWorkload[] | null): Candidate {
  const { label, values, onePerProcess } = spread;
  const coverage = coverageOf(spread);
  const names = new Set(values.map(({ value }) => value));
  const isMeant = (one: SeenWorkload) => namesOf(one).filter((name) => names.has(name));
  const found = (workloads ?? []).filter((one) => isMeant(one).length > 0);
  const hit = new Set(found.flatMap(isMeant));
  const overlap = workloads === null ? null : found.length / workloads.length;
  const precision = hit.size / names.size;
  // The harmonic mean of both shares: a label of all namespaces' names has a few by chance, and one of a few services misses most.
  const isWorkload =
    overlap === null || overlap + precision === 0 ? 0 : (2 * overlap * precision) / (overlap + precision);
  const said = [
    ...(workloads === null
      ? []
      : [
          `${found.length} of ${workloads.length} workloads are among its ${names.size} ${names.size === 1 ? "value" : "values"}`,
        ]),
    ...(workloads === null ? [`${names.size} ${names.size === 1 ? "value" : "values"} (${some([...names])})`] : []),
    `on ${percent(coverage)} of the series`,
    ...(onePerProcess === null ? [] : [onePerProcess ? "one value per process" : "several values per process"]),
  ];
  const isUsual = usual({ label, values: names.size }) < USUAL.length;
  const fits = overlap === null ? onePerProcess !== false || isUsual : found.length > 0;
  return { label, fits, why: said.join(", "), overlap, onePerProcess, coverage, isWorkload, values: names.size };
}

const steps = (onePerProcess: boolean | null): number => (onePerProcess === null ? 1 : onePerProcess ? 2 : 0);

/** One job for everything names no service: it is what the whole scrape was called. */
const usual = ({ label, values }: { readonly label: string; readonly values: number }): number => {
  const at = label.endsWith("job") && values === 1 ? -1 : USUAL.indexOf(label);
  return at === -1 ? USUAL.length : at;
};

const SHOWN = 3;
const some = (names: readonly string[]): string =>
  `${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}`;
