import { z } from "zod";
import { SEED_STEPS } from "../../model/assessment.ts";
import { duration, field, name, ratio, text } from "./fields.ts";

const Step = z.strictObject({
  step: field(
    z.union([z.enum(SEED_STEPS), z.string().regex(/^[a-z][a-z0-9_]{2,63}$/)]),
    "One of the six steps, each at most once and in this order; or, with `prompt`, a name of your own (lower case, digits, `_`).",
  ),
  action: field(
    text(),
    'The step\'s task in words. "last 30 minutes" sets the window of identify_recent_deployments, "select from [...]" the choices of recommend_action; a model reads all of it.',
  ),
  prompt: field(
    text().optional(),
    "For a step of your own alone: what a model is asked. It reads with every tool, answers CONFIRMED, LIKELY or INCONCLUSIVE with cited evidence, and causes nothing.",
    { unless: "the step is one of the six" },
  ),
  confidence_threshold: field(
    ratio().optional(),
    "How probable one change must be before it may be rolled back without a person. For correlate_timing alone.",
    {
      unit: "probability 0–1",
      unless: "0.8",
    },
  ),
  require_human_approval_if: field(
    text().optional(),
    "When a person must agree: comparisons of business_impact (low < medium < high < critical), affected_services, confidence, targets, error_rate; AND, OR, NOT, parentheses. A fact that is not known makes it true. For recommend_action alone.",
    { unless: "no such rule" },
  ),
});

export const ReasoningChain = z.strictObject({
  on_anomaly_detected: field(
    z.array(Step).min(1),
    "The steps from an anomaly to a recommendation. A step that is left out is missed: later steps say what they lack.",
  ),
});

const Verify = z.strictObject({
  verify_metrics_recovered: field(
    z.boolean(),
    "Whether the metrics that were wrong are measured again after an action.",
  ),
  timeout: field(
    duration(1000).default("10m"),
    "How long recovery may take. A policy condition whose query averages over a window holds for up to that window after the cure, and nothing counts as recovered before: let this be longer.",
    { unit: "duration" },
  ),
  gitops_wait: field(
    duration().default("4m"),
    "Where a GitOps controller manages what was rolled back: how long it may take to undo that. Nothing counts as recovered before. Argo CD polls Git every 2 to 3 minutes.",
    { unit: "duration" },
  ),
  drift_watch: field(
    duration().default("1h"),
    "How long after an incident it is noticed that a version that was rolled back is deployed again.",
    { unit: "duration" },
  ),
});

const NotRecovered = z.strictObject({
  if_not_recovered: field(
    z.strictObject({
      action: field(z.literal("escalate_to_human"), "What follows when the signals do not recover in time."),
      message: field(text(), "What the notice to the people who are called says."),
    }),
    "What happens when an action is seen not to have helped. Where that is not known, the notice says so instead, with the reason.",
  ),
});

export const OUTCOME_FIELDS = [
  "deployment_details",
  "anomaly_metrics",
  "rollback_duration",
  "recovery_confirmed",
] as const;

const LogOutcome = z.strictObject({
  log_outcome: field(
    z.strictObject({
      store: field(
        name().regex(/^[\w.-]+$/),
        "Name of the collection of incidents in the knowledge store: letters, digits, `_`, `-`, `.`.",
      ),
      include: field(
        z.array(z.enum(OUTCOME_FIELDS)).default([...OUTCOME_FIELDS]),
        "What of an incident is remembered.",
      ),
    }),
    "What is remembered for the next incident.",
  ),
});

const Postmortem = z.strictObject({
  auto_generate_postmortem_draft: field(z.boolean(), "Whether a postmortem is drafted when an incident ends."),
});

export const FeedbackLoop = z.strictObject({
  post_rollback: field(
    z.array(z.union([Verify, NotRecovered, LogOutcome, Postmortem])),
    "What follows an action; each entry at most once. An entry that is missing means its default: recovery is verified for 10m, people are called when it is not shown, everything is remembered in `incidents`, a postmortem is drafted.",
  ),
});
