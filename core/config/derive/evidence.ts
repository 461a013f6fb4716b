/** What the series of one metric say of one label. */
export interface LabelSpread {
  readonly label: string;
  /** Its values, with how many series carry each. */
  readonly values: readonly { readonly value: string; readonly series: number }[];
  /** Series of the metric that lack the label. */
  readonly without: number;
  /** Whether each scraped process has one value of it alone, as a service's name has; null: not known. */
  readonly onePerProcess: boolean | null;
}

/** A metric that may count requests or measure how long they take, as the server holds it. */
export interface MetricFamily {
  /** As queries name it: "http_requests_total", "http_request_duration_seconds_bucket". */
  readonly name: string;
  readonly series: number;
  /** Scraped processes that export it. */
  readonly targets: number;
  /** Names of all its labels. */
  readonly labels: readonly string[];
  /** What was asked of some of them. */
  readonly spreads: readonly LabelSpread[];
}

/** A workload that runs, with the service name that its own labels give it. */
export interface SeenWorkload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly version: string;
  /** The GitOps controller that manages it; absent: none is seen. */
  readonly managedBy?: string | undefined;
}

/** How metrics may call the service of a workload: as its labels or its name do, alone or with its namespace. */
export const namesOf = ({ service, name, namespace }: Omit<SeenWorkload, "kind" | "version">): readonly string[] => [
  service,
  name,
  ...[service, name].flatMap((one) => [`${namespace}/${one}`, `${one}.${namespace}`]),
];

/** A choice among several, with what speaks for it. */
export interface Ranked {
  readonly label: string;
  /** Whether anything but its name speaks for it. */
  readonly fits: boolean;
  /** What was seen, in words. */
  readonly why: string;
  /** Of the workloads' service names, the share that are among its values; null: no workloads are known. */
  readonly overlap: number | null;
}
