import { z } from "zod";
import { quoted, write } from "../hints/write.ts";
import { count, duration, field, name, ratio } from "./fields.ts";

/** Kinds of notification targets, before the colon. */
export const NOTIFICATION_KINDS = ["slack", "pagerduty"] as const;

const Threshold = z.strictObject({
  metric: field(name(), "A well-known metric, or one of data_sources.metrics.queries."),
  threshold: field(z.number(), "The value that the metric is compared with; the value itself does not fire.", {
    unit: "the metric's: error_rate, cpu_usage, memory_usage ratio 0–1; latencies ms; request_rate requests a second",
  }),
  upper_bound: field(
    z.number().optional(),
    "Above it another policy's condition speaks. A sample above it still counts toward this condition's duration.",
    {
      unit: "the metric's",
      unless: "no bound",
    },
  ),
  duration: field(
    duration(),
    "How long it must hold without a break, as Prometheus' `for`. A missing sample neither advances nor resets it.",
    {
      unit: "duration",
    },
  ),
  comparison: field(
    z.enum(["greater_than", "less_than"]).default("greater_than"),
    "Which side of the threshold is bad.",
  ),
});

const Health = z.strictObject({
  health_check_failures: field(
    count(1),
    "Samples in which a pod's readiness failed outside its start-up grace, by pod. All pods of a new revision unready past their deadline count too.",
    {
      unit: "samples",
    },
  ),
  consecutive: field(
    z.boolean().default(true),
    "Whether they must follow one another; false: so many within five minutes.",
  ),
});

const Regression = z.strictObject({
  regression: field(
    z.strictObject({
      metric: field(name(), "A well-known metric, or one of data_sources.metrics.queries."),
      confidence: field(
        z.number().gt(0).lt(1),
        "How sure the test must be: 1 less the chance of a false alarm a change.",
        {
          unit: "probability, more than 0 and less than 1",
        },
      ),
    }),
    "A statistical test against the service's own past: needs no threshold and no fixed duration.",
  ),
});

/** What somebody who wrote this for a target should write. */
function targetHint(text: string): string {
  const [, kind, rest] = /^([a-z]+):\s+(\S+)$/i.exec(text) ?? [];
  if (kind !== undefined && rest !== undefined) return write(quoted(`${kind.toLowerCase()}:${rest}`));
  if (/^#[\w-]+$/.test(text)) return write(quoted(`slack:${text}`));
  return 'write it like "slack:#incidents" or "pagerduty:oncall"';
}

/** Whom to tell, as lists of targets. */
export const notification = () =>
  z.array(
    z.string().superRefine((value, context) => {
      if (/^[a-z]+:\S+$/.test(value)) return;
      const params = { hint: targetHint(value) };
      context.addIssue({ code: "custom", message: "is no notification target", params });
    }),
  );

const notificationField = field(
  notification().default([]),
  'Whom to tell, through `notifications`: "slack:#channel", "pagerduty:name".',
);

const Policy = z.strictObject({
  conditions: field(z.array(z.union([Threshold, Health, Regression])).min(1), "Alternatives: any of them is enough."),
  action: field(
    z.enum(["rollback_immediate", "notify_and_recommend"]),
    "rollback_immediate rolls the culprit back by the least invasive action (flag off, or rollback), inside the guardrails. notify_and_recommend notifies people of what it would do.",
  ),
  notification: notificationField,
});

const percent = () => z.number().min(0).max(100);
const factor = () => z.number().positive();

/** The terms of Kayenta's own canary configuration, in this file's spelling. */
const KayentaMetric = z.strictObject({
  groups: field(z.array(name()).min(1).optional(), "Groups whose score it is part of.", { unless: "one group of all" }),
  muted: field(z.boolean().default(false), "Classified, but no part of the score."),
  direction: field(z.enum(["increase", "decrease", "either"]).optional(), "Which change counts.", {
    unless: "the direction in which the metric degrades",
  }),
  nan_strategy: field(
    z.enum(["remove", "replace"]).default("remove"),
    "Missing samples are left out, or count as 0. With replace a metric without any data passes, as in Kayenta; it never promotes.",
  ),
  critical: field(z.boolean().default(false), "Whether this metric alone fails the canary."),
  must_have_data: field(z.boolean().default(false), "Whether a metric without data counts as failed."),
  effect_size: field(
    z
      .strictObject({
        measure: field(z.enum(["mean_ratio", "cles"]).default("mean_ratio"), "How the size of a change is measured."),
        allowed_increase: field(factor().optional(), "From here on an increase counts.", {
          unit: "ratio of means, or probability with cles",
          unless: "any (1, cles 0.5)",
        }),
        allowed_decrease: field(factor().optional(), "Down from here a decrease counts.", {
          unit: "ratio of means, or probability with cles",
          unless: "any (1, cles 0.5)",
        }),
        critical_increase: field(
          factor().optional(),
          "From here on an increase of a critical metric fails the canary.",
          {
            unit: "ratio of means, or probability with cles",
            unless: "any (1, cles 0.5)",
          },
        ),
        critical_decrease: field(factor().optional(), "Down from here a decrease of one does.", {
          unit: "ratio of means, or probability with cles",
          unless: "any (1, cles 0.5)",
        }),
      })
      .optional(),
    "How large a change must be.",
    { unless: "any size" },
  ),
  outliers: field(
    z
      .strictObject({
        strategy: field(z.enum(["keep", "remove"]).default("keep"), "What happens to values far from the rest."),
        factor: field(factor().default(3), "How many interquartile ranges are far.", { unit: "interquartile ranges" }),
      })
      .optional(),
    "Values far from the rest.",
    { unless: "they are kept" },
  ),
});

const Kayenta = z.strictObject({
  pass: field(percent().default(95), "The score from which a canary passes.", { unit: "0–100" }),
  marginal: field(percent().default(75), "The score from which it is marginal, which is no pass.", { unit: "0–100" }),
  group_weights: field(z.record(name(), percent()).default({}), "Weight of each group; the others share the rest.", {
    unit: "per cent",
  }),
  metrics: field(z.record(name(), KayentaMetric).default({}), "How each metric is judged."),
});

const CanaryAnalysis = z.strictObject({
  enabled: field(z.boolean().default(true), "Whether canaries are judged."),
  baseline_duration: field(
    duration(1000).default("15m"),
    "The longest that a canary is judged, counted from when it begins to serve, beside the stable version.",
    {
      unit: "duration",
    },
  ),
  comparison_metrics: field(
    z.array(name()).min(1).default(["error_rate", "p99_latency"]),
    "Metrics that are compared.",
  ),
  minimum_confidence: field(ratio().default(0.95), "How sure a judgement must be to count as pass or fail.", {
    unit: "probability 0–1",
  }),
  auto_promote_on_pass: field(
    z.boolean().default(false),
    "Whether a plan to promote a canary that passes is filed; a person approves it in any case. Only of an Argo Rollout, with rollout_promote allowed.",
  ),
  auto_rollback_on_fail: field(
    z.boolean().default(false),
    "Whether a canary that fails is rolled back without a person.",
  ),
  judge: field(
    z.enum(["sequential", "kayenta"]).default("sequential"),
    "sequential evaluates after every sample and stops as soon as it is sure; kayenta gives Kayenta's results, once, at the end.",
  ),
  kayenta: field(Kayenta.optional(), "For `judge: kayenta`.", { unless: "Kayenta's defaults" }),
});

export const RollbackPolicies = z
  .object({
    canary_analysis: field(CanaryAnalysis.optional(), "How a canary is judged.", { unless: "canaries are not judged" }),
  })
  .catchall(field(Policy, "A policy of any name: conditions, and what follows when one holds."));
