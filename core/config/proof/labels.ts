import type { MetricFamily, SeenWorkload } from "../derive/evidence.ts";
import { coverageOf, percent } from "../derive/label-values.ts";
import { rankServiceLabels } from "../derive/service-labels.ts";
import { rankVersionLabels } from "../derive/version-labels.ts";
import type { Trouble } from "../variables.ts";

/** What is said of a label of the file: an error with its place, or a remark. */
export type LabelJudged =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly trouble: Trouble }
  | { readonly ok: null; readonly caution: string };

export interface ConfiguredLabel {
  readonly name: string;
  /** Whether the file writes it, or it is the default. */
  readonly isWritten: boolean;
}

/** How a version comes into the metrics of whoever is scraped in Kubernetes. */
export const HOW_TO_GET_VERSIONS =
  "let the scrape copy it from the pod: relabel_configs with source_labels [__meta_kubernetes_pod_label_app_kubernetes_io_version] and target_label version, or podTargetLabels in a ServiceMonitor or PodMonitor";

/**
 * Whether the service label of the file tells services apart on the metric that counts requests. It is wrong where no series
 * carries it, and where none of its values is a service while another label's are; the hint then names that one.
 *
 * @param workloads what runs, under the names that the file gives; null: not known
 */
export function judgeServiceLabel(
  configured: ConfiguredLabel,
  family: MetricFamily,
  workloads: readonly SeenWorkload[] | null,
): LabelJudged {
  const ranked = rankServiceLabels(family, workloads);
  const best = ranked.find(({ fits, label }) => fits && label !== configured.name);
  const own = ranked.find(({ label }) => label === configured.name);
  const instead =
    best === undefined ? "no other label seems to name services" : `write service_label: ${best.label}; ${best.why}`;
  const spread = family.spreads.find(({ label }) => label === configured.name);
  if (spread === undefined || spread.values.length === 0) {
    return wrong(configured, `no series of ${family.name} has the label ${configured.name}`, instead);
  }
  const values = spread.values.slice(0, 3).map(({ value }) => value);
  if (own === undefined) {
    const share = coverageOf(spread);
    const message =
      share < 0.5
        ? `only ${percent(share)} of the series of ${family.name} have the label ${configured.name}`
        : `the values of ${configured.name} on ${family.name} (${values.join(", ")}) do not resemble services`;
    return best === undefined
      ? { ok: null, caution: `service_label: ${message}` }
      : wrong(configured, message, instead);
  }
  const none = `none of the values of ${configured.name} on ${family.name} (${values.join(", ")}) is a workload or a service of this file`;
  if (own.overlap === 0 && (best?.overlap ?? 0) > 0) return wrong(configured, none, instead);
  if (own.overlap === 0) {
    return { ok: null, caution: `service_label: ${none}: name the workload of each under services.<name>.workload` };
  }
  // Twice as many: one or two workloads more are those without metrics, or with a canary's own name.
  if (best !== undefined && (best.overlap ?? 0) >= 2 * (own.overlap ?? 1)) {
    return {
      ok: null,
      caution: `service_label ${configured.name}: ${own.why}; better fits ${best.label}: ${best.why}`,
    };
  }
  return { ok: true, text: `service_label ${configured.name}: ${own.why}` };
}

/** Whether versions can be told apart. One that the file writes has to exist; of the default it is only said what lacks. */
export function judgeVersionLabel(
  configured: ConfiguredLabel,
  family: MetricFamily,
  workloads: readonly SeenWorkload[] | null,
): LabelJudged {
  const [best] = rankVersionLabels(family, workloads);
  const spread = family.spreads.find(({ label }) => label === configured.name);
  if (spread !== undefined && spread.values.length > 0) {
    const values = spread.values.slice(0, 3).map(({ value }) => value);
    return {
      ok: true,
      text: `version_label ${configured.name}: ${values.join(", ")}${spread.values.length > 3 ? ", …" : ""}`,
    };
  }
  const lacks = `no series of ${family.name} has the label ${configured.name}`;
  const how = best === undefined ? HOW_TO_GET_VERSIONS : `write version_label: ${best.label}; ${best.why}`;
  if (configured.isWritten) {
    return {
      ok: false,
      trouble: { path: ["version_label"], at: "value", message: `version_label: ${lacks}`, hint: how },
    };
  }
  const cost = "versions cannot be distinguished, so that a bad one is known by its timing alone";
  return { ok: null, caution: `version_label (the default): ${lacks}: ${cost}; ${how}` };
}

function wrong({ name, isWritten }: ConfiguredLabel, message: string, hint: string): LabelJudged {
  const how = isWritten ? "" : ` is "${name}" where the file writes none, and`;
  const text = `service_label${how === "" ? ":" : how} ${message}`;
  return { ok: false, trouble: { path: ["service_label"], at: "value", message: text, hint } };
}
