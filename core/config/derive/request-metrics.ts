import type { LabelSpread, MetricFamily, Ranked, SeenWorkload } from "./evidence.ts";
import { kindOfValues } from "./label-values.ts";
import { placeOf, stemOf, tierOf } from "./metric-names.ts";
import { rankServiceLabels } from "./service-labels.ts";

/** How failed requests are told from the others. */
export interface ErrorMatch {
  /** PromQL's matcher: `status=~"5.."`. */
  readonly matcher: string;
  readonly why: string;
}

export interface RequestMetric {
  readonly family: MetricFamily;
  /** null: nothing on it tells failures apart. */
  readonly errors: ErrorMatch | null;
  readonly serviceLabels: readonly Ranked[];
  readonly why: string;
}

export interface LatencyMetric {
  readonly family: MetricFamily;
  readonly why: string;
}

/**
 * gRPC's codes that are the server's own failures, as OpenTelemetry's conventions have it.
 * @see https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
 */
const GRPC_FAILURES = ["Unknown", "DeadlineExceeded", "Unimplemented", "Internal", "Unavailable", "DataLoss"];
const GRPC_CODE =
  /^(OK|Canceled|Cancelled|Unknown|InvalidArgument|DeadlineExceeded|NotFound|AlreadyExists|PermissionDenied|ResourceExhausted|FailedPrecondition|Aborted|OutOfRange|Unimplemented|Internal|Unavailable|DataLoss|Unauthenticated)$/;

/** What on a metric tells failed requests apart; null where nothing does. Statuses by their values, others by name too. */
export function errorsOf({ spreads }: Pick<MetricFamily, "spreads">): ErrorMatch | null {
  for (const form of FORMS) {
    for (const spread of spreads) {
      const matcher = form.matcherOf(spread);
      if (matcher !== null && spread.values.length > 0) {
        return {
          matcher,
          why: `${spread.label} ${form.says} (${spread.values
            .slice(0, 4)
            .map(({ value }) => value)
            .join(", ")})`,
        };
      }
    }
  }
  return null;
}

interface Form {
  readonly says: string;
  readonly matcherOf: (spread: LabelSpread) => string | null;
}

const all = ({ values }: LabelSpread, form: RegExp): boolean => values.every(({ value }) => form.test(value));

const FORMS: readonly Form[] = [
  {
    says: "is the HTTP status",
    matcherOf: (spread) => {
      if (kindOfValues(spread) !== "status") return null;
      const isClass = spread.values.some(({ value }) => /xx$/i.test(value));
      return `${spread.label}=~"${isClass ? "5..|5xx|5XX" : "5.."}"`;
    },
  },
  {
    says: "is gRPC's code",
    matcherOf: (spread) => (all(spread, GRPC_CODE) ? `${spread.label}=~"${GRPC_FAILURES.join("|")}"` : null),
  },
  {
    says: "is gRPC's code as a number",
    matcherOf: (spread) =>
      /grpc.*(code|status)/.test(spread.label) && all(spread, /^(\d|1[0-6])$/)
        ? `${spread.label}=~"2|4|12|13|14|15"`
        : null,
  },
  {
    says: "is the span's status",
    matcherOf: (spread) =>
      all(spread, /^STATUS_CODE_(UNSET|OK|ERROR)$/) ? `${spread.label}="STATUS_CODE_ERROR"` : null,
  },
  {
    says: "is Micrometer's outcome",
    matcherOf: (spread) => (spread.label === "outcome" && all(spread, /^[A-Z_]+$/) ? 'outcome="SERVER_ERROR"' : null),
  },
  {
    says: "says whether it failed",
    matcherOf: (spread) => {
      if (kindOfValues(spread) !== "boolean") return null;
      if (/error|fail/.test(spread.label)) return `${spread.label}="true"`;
      return /success|ok$/.test(spread.label) ? `${spread.label}="false"` : null;
    },
  },
];

/**
 * The metrics that may count requests, the best first: those that services other than the platform's export, whose label
 * values are names of workloads, that tell failures apart, that more processes export.
 */
export function rankRequests(
  families: readonly MetricFamily[],
  workloads: readonly SeenWorkload[] | null,
): readonly RequestMetric[] {
  return families
    .filter(({ series }) => series > 0)
    .map((family) => {
      const serviceLabels = rankServiceLabels(family, workloads);
      const errors = errorsOf(family);
      const overlap = serviceLabels[0]?.overlap ?? 0;
      return { family, errors, serviceLabels, overlap, why: seenText(family) };
    })
    .sort(
      (one, other) =>
        Number(tierOf(one.family.name) === 2) - Number(tierOf(other.family.name) === 2) ||
        Number(other.overlap > 0) - Number(one.overlap > 0) ||
        Number(other.errors !== null) - Number(one.errors !== null) ||
        Number(other.serviceLabels.length > 0) - Number(one.serviceLabels.length > 0) ||
        tierOf(one.family.name) - tierOf(other.family.name) ||
        other.overlap - one.overlap ||
        other.family.targets - one.family.targets ||
        placeOf(one.family.name) - placeOf(other.family.name) ||
        other.family.series - one.family.series ||
        one.family.name.localeCompare(other.family.name),
    )
    .map(({ family, errors, serviceLabels, why }) => ({ family, errors, serviceLabels, why }));
}

/** The histograms that may measure latency, the best first: of those that tell services apart the one nearest to the requests. */
export function rankLatencies(
  families: readonly MetricFamily[],
  requests: MetricFamily | null,
  serviceLabel: string | null,
): readonly LatencyMetric[] {
  const isSibling = ({ name }: MetricFamily) =>
    requests !== null && (stemOf(name) === stemOf(requests.name) || firstWords(name) === firstWords(requests.name));
  return families
    .filter(({ series, labels }) => series > 0 && labels.includes("le"))
    .filter(({ labels }) => serviceLabel === null || labels.includes(serviceLabel))
    .toSorted(
      (one, other) =>
        Number(tierOf(one.name) === 2) - Number(tierOf(other.name) === 2) ||
        Number(isSibling(other)) - Number(isSibling(one)) ||
        tierOf(one.name) - tierOf(other.name) ||
        other.targets - one.targets ||
        placeOf(one.name) - placeOf(other.name) ||
        one.name.localeCompare(other.name),
    )
    .map((family) => ({ family, why: seenText(family) }));
}

const firstWords = (name: string): string => name.split(/[_:.]/).slice(0, 2).join("_").replace(/s$/, "");

const seenText = ({ series, targets }: MetricFamily): string =>
  `${series} series from ${targets} ${targets === 1 ? "process" : "processes"}`;
