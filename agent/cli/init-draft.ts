import type { Draft } from "../../core/config/derive/draft.ts";
import type { Ranked, SeenWorkload } from "../../core/config/derive/evidence.ts";
import {
  type LatencyMetric,
  type RequestMetric,
  rankLatencies,
  rankRequests,
} from "../../core/config/derive/request-metrics.ts";
import { matchServices, namespacesOf } from "../../core/config/derive/services.ts";
import { errorThreshold, latencyThreshold } from "../../core/config/derive/thresholds.ts";
import { rankVersionLabels } from "../../core/config/derive/version-labels.ts";
import { formatDuration } from "../../core/config/durations.ts";
import { unitOfQuery } from "../../core/config/units.ts";
import { UnshipError } from "../../core/errors.ts";
import type { ArgocdSurvey, ClusterSurvey, FlagsChoice, Highest, MetricsSurvey } from "./survey.ts";

/** What people chose instead of what was derived; each absent: as derived. */
export interface Overrides {
  readonly requestMetric?: string | undefined;
  readonly latencyMetric?: string | undefined;
  readonly serviceLabel?: string | undefined;
  readonly versionLabel?: string | undefined;
}

/** What was found of the metrics, ranked by evidence. */
export interface Derivation {
  readonly requests: RequestMetric | null;
  readonly otherRequests: readonly RequestMetric[];
  readonly latency: LatencyMetric | null;
  readonly serviceLabels: readonly Ranked[];
  readonly versionLabels: readonly Ranked[];
}

/** Ranks what a Prometheus has; what people name comes first, and has to be there. */
export function derive(
  metrics: MetricsSurvey,
  workloads: readonly SeenWorkload[] | null,
  { requestMetric, latencyMetric, serviceLabel }: Overrides,
): Derivation {
  const ranked = rankRequests(metrics.requests, workloads);
  const requests = chosen("--request-metric", requestMetric, ranked, ({ family }) => family.name) ?? ranked[0] ?? null;
  const serviceLabels = requests?.serviceLabels ?? [];
  const label = serviceLabel ?? serviceLabels[0]?.label ?? null;
  const latencies = rankLatencies(metrics.latencies, requests?.family ?? null, label);
  const latency =
    chosen("--latency-metric", latencyMetric, latencies, ({ family }) => family.name) ?? latencies[0] ?? null;
  return {
    requests,
    otherRequests: ranked.filter((one) => one !== requests),
    latency,
    serviceLabels,
    versionLabels: requests === null ? [] : rankVersionLabels(requests.family, workloads),
  };
}

function chosen<T>(
  flag: string,
  named: string | undefined,
  all: readonly T[],
  nameOf: (one: T) => string,
): T | undefined {
  if (named === undefined) return undefined;
  const found = all.find((one) => nameOf(one) === named);
  if (found !== undefined) return found;
  const reason = `"${named}" is none of those that fit: ${all.map(nameOf).join(", ") || "there is none"}`;
  throw new UnshipError("input.invalid", { what: flag, reason });
}

/** Queries of the metrics that were chosen, averaged over `windowMs`, each with what it was derived from. */
export function queriesOf(
  { requests, latency }: Pick<Derivation, "requests" | "latency">,
  windowMs: number,
): Draft["queries"] {
  const window = formatDuration(windowMs);
  const name = requests?.family.name ?? "";
  const rate = (more: string) => `sum(rate(${name}${more}[${window}]))`;
  const errors = requests?.errors ?? null;
  const p99 =
    latency === null ? null : `histogram_quantile(0.99, sum by (le) (rate(${latency.family.name}[${window}])))`;
  return [
    ...(requests === null
      ? []
      : errors === null
        ? [
            {
              metric: "request_rate",
              query: rate(""),
              unit: null,
              why: `${name}: ${requests.why}; nothing on it tells failures apart`,
            },
          ]
        : [
            {
              metric: "error_rate",
              query: `${rate(`{${errors.matcher}}`)} / ${rate("")}`,
              unit: null,
              why: `${name}: ${requests.why}; ${errors.why}`,
            },
          ]),
    ...(latency === null || p99 === null
      ? []
      : [
          {
            metric: "p99_latency",
            query: p99,
            unit: unitOfQuery(p99) === null ? unitOfBounds(latency) : null,
            why: `${latency.family.name}: ${latency.why}${unitWords(p99, latency)}`,
          },
        ]),
  ];
}

const unitWords = (query: string, latency: LatencyMetric): string => {
  if (unitOfQuery(query) !== null) return "";
  const unit = unitOfBounds(latency);
  return unit === null
    ? "; its name has no unit: taken as ms"
    : `; its name has no unit: ${unit} by its smallest bucket`;
};

/**
 * The unit of a histogram whose name says none, from its smallest bound: buckets of requests begin at milliseconds (5 ms in
 * Prometheus' and OpenTelemetry's defaults), which are thousandths in seconds and whole numbers in ms. null: not known.
 *
 * @see https://opentelemetry.io/docs/specs/otel/metrics/sdk/#explicit-bucket-histogram-aggregation
 */
function unitOfBounds({ family }: LatencyMetric): "s" | "ms" | null {
  const bounds = (family.spreads.find(({ label }) => label === "le")?.values ?? [])
    .map(({ value }) => Number(value))
    .filter((bound) => bound > 0 && Number.isFinite(bound));
  if (bounds.length === 0) return null;
  return Math.min(...bounds) < 0.5 ? "s" : "ms";
}

export interface Parts extends Pick<Draft, "mode" | "approver" | "windowMs" | "traces"> {
  readonly endpoint: string;
  readonly metrics: MetricsSurvey;
  readonly cluster: ClusterSurvey | null;
  readonly argocd: { readonly endpoint: string; readonly survey: ArgocdSurvey } | null;
  readonly flags: { readonly choice: FlagsChoice; readonly keys: readonly string[] } | null;
  readonly derivation: Derivation;
  readonly serviceLabel: { readonly label: string; readonly why: string } | null;
  readonly versionLabel: { readonly label: string; readonly why: string } | null;
  readonly namespaces: readonly string[];
  readonly errors: Highest | null;
  readonly latency: Highest | null;
  readonly notes: readonly string[];
}

/** Names of services on the metric that counts requests, by the label that was chosen. */
export function servicesBy(derivation: Derivation, label: string | null): readonly string[] {
  const spread = derivation.requests?.family.spreads.find((one) => one.label === label);
  return (spread?.values ?? []).map(({ value }) => value).toSorted();
}

/** Everything together, as the file that is written. */
export function draftOf(parts: Parts): Draft {
  const { cluster, argocd, flags, derivation, namespaces } = parts;
  const services = servicesBy(derivation, parts.serviceLabel?.label ?? null);
  const watched = (cluster?.workloads ?? []).filter(({ namespace }) => namespaces.includes(namespace));
  const { toWrite } = matchServices(services, watched);
  const applications = argocd?.survey.applications ?? [];
  const applicationOf = (service: string): string | null => {
    const manager = watched.find((one) => one.service === service)?.managedBy;
    const managing = applications.find((name) => manager === `Argo CD application ${name}`);
    return managing ?? (applications.includes(service) ? service : null);
  };
  const described = [
    ...new Set([...toWrite.map(({ service }) => service), ...services.filter((one) => applicationOf(one) !== null)]),
  ];
  const used = [...new Set(described.flatMap((service) => applicationOf(service) ?? []))];
  return {
    mode: parts.mode,
    approver: parts.approver,
    windowMs: parts.windowMs,
    traces: parts.traces,
    prometheus: { endpoint: parts.endpoint, tokenVariable: parts.metrics.tokenVariable },
    queries: queriesOf(derivation, parts.windowMs),
    kubernetes:
      cluster === null
        ? null
        : {
            kubeconfig: cluster.kubeconfig,
            context: cluster.context,
            namespaces: namespaces.length === 0 ? cluster.looked : namespaces,
            why: `${watched.length} workloads in ${namespaces.join(", ")}`,
          },
    argocd:
      argocd === null
        ? null
        : {
            endpoint: argocd.endpoint,
            tokenVariable: argocd.survey.tokenVariable,
            applications: used,
            why: `Argo CD ${argocd.survey.version}: ${applications.length} applications`,
          },
    flags:
      flags === null
        ? null
        : { ...flags.choice, why: `${flags.keys.length} flags in ${flags.choice.project}/${flags.choice.environment}` },
    serviceLabel: parts.serviceLabel,
    versionLabel: parts.versionLabel,
    errorRate: errorThreshold(parts.errors),
    latency: latencyThreshold(parts.latency),
    services: described.map((service) => ({
      service,
      workload: toWrite.find((one) => one.service === service)?.workload ?? null,
      application: applicationOf(service),
    })),
    notes: parts.notes,
  };
}

/** Where to look: as people say, else where the services' workloads run. */
export function watchedNamespaces(
  cluster: ClusterSurvey | null,
  services: readonly string[],
  asked: readonly string[],
): readonly string[] {
  if (cluster === null) return [];
  if (asked.length > 0) return asked;
  const found = namespacesOf(services, cluster.workloads);
  return found.length > 0 ? found : cluster.looked.filter((one) => one !== "*");
}
