import { type CanaryConsequence, consequenceOf, judgeCanary } from "../../core/canary/judge.ts";
import type { CanaryJudgement, MetricJudgement } from "../../core/canary/model.ts";
import { metricName } from "../../core/canary/sequential.ts";
import type { CanaryPolicy } from "../../core/config/config.ts";
import { withUnit } from "../../core/detection/meaning.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Series } from "../../core/model/signal.ts";
import { durationText, rfc3339 } from "../../core/model/time.ts";
import { type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";
import { readSeriesFile } from "./series-files.ts";

export interface CanaryOptions {
  readonly baseline: readonly string[];
  readonly canary: readonly string[];
  readonly config?: string;
  readonly judge?: "sequential" | "kayenta";
  readonly json?: JsonOption;
}

/** Without a configuration: every metric of both files, for as long as the files go on. */
const DEFAULTS: CanaryPolicy = {
  enabled: true,
  baselineDurationMs: Number.MAX_SAFE_INTEGER,
  comparisonMetrics: [],
  minimumConfidence: 0.95,
  autoPromoteOnPass: false,
  autoRollbackOnFail: false,
  judge: "sequential",
  kayenta: { pass: 95, marginal: 75, groupWeights: {}, metrics: {} },
};

/** As where a source is down: what it would say is unknown. */
const UNKNOWN = EXIT.unavailable;

/**
 * `unship canary`: judges a canary against the stable version beside it, from files, and prints the reasons. It
 * executes nothing. Exit code 0: it passes; 1: it fails; 3: neither is known (inconclusive, marginal, no data).
 */
export async function canary(to: Composition, options: CanaryOptions): Promise<ExitCode> {
  const loaded = options.config === undefined ? null : (await to.config({ config: options.config }, "nothing")).config;
  if (loaded !== null && loaded.canary === null)
    throw new UnshipError("input.invalid", {
      what: options.config ?? "",
      reason: "it has no rollback_policies.canary_analysis; add one, or leave --config out",
    });
  const configured = loaded?.canary ?? DEFAULTS;
  const versionLabel = loaded?.versionLabel ?? "version";
  const baseline = readSide(options.baseline, versionLabel);
  const fresh = readSide(options.canary, versionLabel);
  const longest = Math.max(...fresh.map((series) => series.values.length * series.stepMs));
  const policy = {
    ...configured,
    judge: options.judge ?? configured.judge,
    baselineDurationMs: Math.min(configured.baselineDurationMs, longest),
  };
  const judgement = judgeCanary(
    {
      baseline,
      canary: fresh,
      since: null,
      now: Math.max(...fresh.map(({ startAt, stepMs, values }) => startAt + values.length * stepMs)),
      complete: true,
      versionLabel,
      ...(loaded === null ? { metrics: null } : {}),
    },
    policy,
  );
  const consequence = consequenceOf(judgement, { autoPromoteOnPass: true, autoRollbackOnFail: true });
  await present(to, options.json, toJson(judgement, consequence), words(judgement, consequence));
  return { promote: EXIT.ok, "take-back": EXIT.no, ask: UNKNOWN, wait: UNKNOWN }[consequence.action];
}

/** All series of one side; one that stands twice would make the side two versions. */
function readSide(paths: readonly string[], versionLabel: string): readonly Series[] {
  const found = new Map<string, string>();
  return paths.flatMap((path) =>
    readSeriesFile(path).map((series) => {
      const { [versionLabel]: version = "", ...labels } = series.labels;
      const key = JSON.stringify([series.service, series.metric, Object.entries(labels).sort(), series.stepMs]);
      const other = found.get(key);
      if (other !== undefined) {
        const reason = `${metricName({ ...series, labels })} is given twice (versions "${other}" and "${version}"); one side is one version`;
        throw new UnshipError("input.invalid", { what: path, reason });
      }
      found.set(key, version);
      return series;
    }),
  );
}

const HEADLINES = {
  promote: "PASS",
  "take-back": "FAIL",
  ask: "NOT KNOWN",
  wait: "NOT KNOWN",
} as const;

function words(judgement: CanaryJudgement, { action, why }: CanaryConsequence): readonly string[] {
  const { judge, since, until, samples, metrics } = judgement;
  const span =
    since === null || until === null
      ? "nothing was compared"
      : `${samples} samples from ${rfc3339(since)}, ${durationText(until - since)}`;
  return [
    `${HEADLINES[action]}: ${why}`,
    `${judge} judge, confidence ${judgement.confidence}; ${span}. Nothing was executed.`,
    ...(metrics.length === 0 ? [] : ["", ...table(metrics)]),
    ...(judge === "kayenta" ? ["", ...judgement.why] : []),
  ];
}

function table(metrics: readonly MetricJudgement[]): readonly string[] {
  const order = { worse: 0, unknown: 1, inconclusive: 2, "no-worse": 3 } as const;
  const rows = [...metrics]
    .sort((a, b) => order[a.verdict] - order[b.verdict])
    .map((one) => [
      one.verdict,
      nameOf(one),
      shown(one.baseline, one.unit),
      shown(one.canary, one.unit),
      ratio(one),
      one.because,
    ]);
  const head = ["verdict", "metric", "baseline", "canary", "change", "because"];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row.map((cell, column) => (column === head.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "),
  );
}

const nameOf = (one: MetricJudgement): string => (one.service === "" ? one.metric : metricName(one));
const shown = (value: number | null, unit: string): string => (value === null ? "none" : withUnit(value, unit));

function ratio({ baseline, canary: fresh }: MetricJudgement): string {
  if (baseline === null || fresh === null || baseline === 0) return "";
  const percent = (100 * (fresh - baseline)) / Math.abs(baseline);
  return `${percent >= 0 ? "+" : ""}${percent.toFixed(1)} %`;
}

function toJson(judgement: CanaryJudgement, consequence: CanaryConsequence): unknown {
  const { since, until, metrics, ...rest } = judgement;
  return {
    ...rest,
    since: rfc3339(since),
    until: rfc3339(until),
    promote: consequence.action === "promote",
    take_back: consequence.action === "take-back",
    because: consequence.why,
    metrics: metrics.map(({ evidence, ...one }) => ({
      ...one,
      evidence: evidence === null ? null : { worse: finite(evidence.worse), no_worse: finite(evidence.noWorse) },
    })),
  };
}

/** JSON has no −∞: there is no evidence at all. */
const finite = (nats: number): number | null => (Number.isFinite(nats) ? nats : null);
