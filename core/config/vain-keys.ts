import { type Fields, isMap, listAt, mapAt } from "./checks/check.ts";
import { formatDuration, parseDuration } from "./durations.ts";
import { EVIDENCE_KINDS } from "./evidence-kinds.ts";
import { longestPause } from "./freeze-window.ts";
import { HEALTH_SPAN_MS } from "./health-span.ts";
import { orLess, orMore, quoted, write } from "./hints/write.ts";
import { nearest } from "./nearest.ts";
import { PLAN_LIFETIME_MS } from "./plan-lifetime.ts";
import { wellKnownMetric } from "./units.ts";
import type { Path } from "./yaml-tree.ts";

export interface Vain {
  /** After the key: what can never happen, and why. */
  readonly what: string;
  readonly mend: string;
}

/** Whether a value that somebody wrote can never have its effect; null: it can, or nobody can tell from the file. */
export type VainRule = (
  value: unknown,
  at: { readonly file: unknown; readonly path: Path; readonly parent: Fields; readonly written: Fields },
) => Vain | null;

const DAY_HOURS = 24;

const ms = (value: unknown): number | null => (typeof value === "string" ? parseDuration(value) : null);
/** ms. 0 where no plan survives a step: that is named at `watch.step`, and what it keeps from happening follows from it. */
const stepOf = (file: unknown): number => {
  const step = ms(mapAt(file, "watch").step) ?? 0;
  return step >= PLAN_LIFETIME_MS ? 0 : step;
};
const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
const is = (holds: boolean, what: string, mend: string): Vain | null => (holds ? { what, mend } : null);

/** What is told of a waiting plan is told at a look of the watch, before the plan expires. */
const beforeExpiry =
  (what: string): VainRule =>
  (value, { file }) => {
    const after = ms(value);
    const last = PLAN_LIFETIME_MS - stepOf(file);
    if (after === null || after <= last) return null;
    const lives = formatDuration(PLAN_LIFETIME_MS);
    const seen = after < PLAN_LIFETIME_MS ? ", and is evaluated once a step" : "";
    return {
      what: `is ${String(value)}, so ${what}: a plan waits ${lives} at most${seen}, and expires then`,
      mend: orLess(quoted(formatDuration(Math.max(0, last)))),
    };
  };

/** Targets of a notification that are only written down, since nothing is configured to carry them. */
const reachesSomebody: VainRule = (value, { file }) => {
  if (typeof value !== "string") return null;
  const [kind = "", ...rest] = value.split(":");
  const notifications = mapAt(file, "notifications");
  if (kind === "slack") {
    return is(
      !isMap(notifications.slack),
      "tells nobody: notifications.slack is missing, so it is in the ledger and on the terminal alone",
      "add notifications.slack",
    );
  }
  const key = rest.join(":");
  const keys = mapAt(file, "notifications", "pagerduty", "routing_keys");
  const near = nearest(key, Object.keys(keys));
  return is(
    kind === "pagerduty" && !Object.hasOwn(keys, key),
    "pages nobody: notifications.pagerduty.routing_keys has no key of this name, so it is in the ledger and on the terminal alone",
    near === null ? "add the key" : write(quoted(`pagerduty:${near}`), ", or add the key"),
  );
};

const isRatio = (metric: unknown): boolean => typeof metric === "string" && wellKnownMetric(metric)?.unit === "ratio";
const post = (file: unknown, key: string): unknown =>
  listAt(file, "feedback_loop", "post_rollback").flatMap(({ value }) =>
    isMap(value) && key in value ? [value[key]] : [],
  )[0];
const verifiedEntry = (file: unknown, key: string): number => ms(post(file, key)) ?? 0;

const TO_SUGGEST = "a figure for a suggestion alone, which people follow or not";
const FOR_KNOWLEDGE = "a figure that is shown and compared; no limit";
const OWN_CLOCK = "bounds one call of somebody else's program or API, which may always take longer";
const ANY_NUMBER = "how many there can be is known only at run time";
const AS_KAYENTA = "a term of Kayenta's own, any value of which changes a classification";

/**
 * Every duration and every figure of the file: the rule by which it is vain, or the reason why it never is. A test holds the
 * table to the schema, so that a new key needs a row.
 */
export const VAIN_KEYS: Readonly<Record<string, VainRule | string>> = {
  "data_sources.metrics.interval": (value, { parent }) => {
    const [interval, window] = [ms(value), ms(parent.window)];
    return is(
      interval !== null && window !== null && interval * 2 > window,
      `is ${String(value)}, so window never holds two samples and nothing can be compared`,
      orLess(quoted(formatDuration((window ?? 0) / 2))),
    );
  },
  "data_sources.metrics.window":
    "what is longer than it is refused (conditions[].duration), and interval is held to it",
  "data_sources.migrations.*.timeout": OWN_CLOCK,
  "data_sources.migrations.*.every": "asked by a clock of its own",
  "data_sources.feature_flags.project": "an id",
  "rollback_policies.canary_analysis.baseline_duration": (value, { file }) => {
    const length = ms(value);
    return is(
      length !== null && length < 2 * stepOf(file),
      `is ${String(value)}, in which a canary is evaluated less than twice (watch.step)`,
      write(quoted(formatDuration(10 * stepOf(file))), ", say: several steps of the watch"),
    );
  },
  "rollback_policies.canary_analysis.minimum_confidence": (value) =>
    is(value === 0, "is 0, so every judgement is sure enough: it limits nothing", write("0.95", ", say")),
  "rollback_policies.canary_analysis.kayenta.pass": (value) =>
    is(value === 0, "is 0, so every canary passes", write("95", ", say")),
  "rollback_policies.canary_analysis.kayenta.marginal": AS_KAYENTA,
  "rollback_policies.canary_analysis.kayenta.group_weights.*": AS_KAYENTA,
  "rollback_policies.canary_analysis.kayenta.metrics.*.effect_size.allowed_increase": AS_KAYENTA,
  "rollback_policies.canary_analysis.kayenta.metrics.*.effect_size.allowed_decrease": AS_KAYENTA,
  "rollback_policies.canary_analysis.kayenta.metrics.*.effect_size.critical_increase": onlyCritical,
  "rollback_policies.canary_analysis.kayenta.metrics.*.effect_size.critical_decrease": onlyCritical,
  "rollback_policies.canary_analysis.kayenta.metrics.*.outliers.factor": (_, { parent }) =>
    is(parent.strategy !== "remove", "has no effect: outliers are kept", "write strategy: remove, or remove it"),
  "rollback_policies.*.conditions.*.threshold": (value, { parent: { metric, comparison } }) => {
    if (comparison === "less_than") {
      const never = value === 0 && typeof metric === "string" && wellKnownMetric(metric) !== undefined;
      return is(never, `is 0, and ${String(metric)} is never below it: the condition never holds`, "a higher value");
    }
    return is(
      value === 1 && isRatio(metric),
      `is 1, and ${String(metric)} is never above it: the condition never holds`,
      "a lower value",
    );
  },
  "rollback_policies.*.conditions.*.upper_bound": (value, { parent: { metric } }) =>
    is(
      value === 1 && isRatio(metric),
      `is 1, and ${String(metric)} is never above it: it bounds nothing`,
      "lower it, or remove it",
    ),
  "rollback_policies.*.conditions.*.duration": (value, { file }) => {
    const [length, step] = [ms(value), stepOf(file)];
    return is(
      length !== null && length > 0 && length < step,
      `is ${String(value)}, less than a step of the watch (${formatDuration(step)}): it holds no sooner than after a whole one`,
      `${orMore(quoted(formatDuration(step)))}, or a shorter watch.step`,
    );
  },
  "rollback_policies.*.conditions.*.health_check_failures": (value, { file, parent }) => {
    const most = Math.floor(HEALTH_SPAN_MS / Math.max(1, stepOf(file))) + 1;
    const never = parent.consecutive === false && (number(value) ?? 0) > most;
    return is(
      never,
      `is ${String(value)}, and within five minutes there are ${most} samples (watch.step): the condition never holds`,
      `${orLess(most)}, or consecutive: true`,
    );
  },
  "rollback_policies.*.conditions.*.regression.confidence": "0 and 1 are refused, and all between can be reached",
  "rollback_policies.*.notification.*": reachesSomebody,
  "reasoning_chain.on_anomaly_detected.*.confidence_threshold": (value) =>
    value === 0
      ? { what: "is 0, so that any change is probable enough: it limits nothing", mend: write("0.8", ", say") }
      : is(value === 1, "is 1, which no estimate reaches: nothing is ever rolled back without a person", "below 1"),
  "execution.allowed_actions.*.max_rollbacks_per_hour": (value, { parent }) =>
    (parent.require_approval === false ? noneAtAll(value) : null) ??
    is(
      parent.require_approval !== false,
      "limits nothing: each of these actions needs a person anyway (require_approval)",
      "remove it, or write require_approval: false",
    ),
  "execution.guardrails.max_auto_rollbacks_per_day": (value, { file }) => {
    const automatic = listAt(file, "execution", "allowed_actions").flatMap(({ value: one }) =>
      isMap(one) && one.require_approval === false ? [number(one.max_rollbacks_per_hour)] : [],
    );
    const most = automatic.reduce<number>((sum, one) => sum + (one ?? Number.POSITIVE_INFINITY) * DAY_HOURS, 0);
    const never = automatic.length > 0 && (number(value) ?? 0) >= most && most > 0;
    if (automatic.length > 0 && value === 0) return noneAtAll(value);
    return is(
      never,
      `is ${String(value)}, and max_rollbacks_per_hour allows ${most} in 24 hours at most: it limits nothing`,
      orLess(most - 1),
    );
  },
  "execution.guardrails.cooldown_between_rollbacks": (value) =>
    is(
      ms(value) === 0,
      `is ${String(value)}: there is no cooldown, and one action may follow the other at once`,
      write('"10m"', ", say"),
    ),
  "execution.guardrails.escalate_to_human_after": (value, { file }) => {
    const most = number(mapAt(file, "execution", "guardrails").max_auto_rollbacks_per_day) ?? 0;
    return is(
      most > 0 && (number(value) ?? 0) > most * DAYS_OF_A_ROW,
      `is ${String(value)}, and with max_auto_rollbacks_per_day ${most} that takes more than a week without a healthy change: it limits nothing in practice`,
      write("2", ", say"),
    );
  },
  "execution.guardrails.blast_radius.services": ANY_NUMBER,
  "execution.guardrails.blast_radius.traffic_share": (value) =>
    is(
      value === 1,
      "is 1, and nothing serves more than all requests: it only asks a person where the share cannot be measured",
      "below 1",
    ),
  "execution.guardrails.blast_radius.replicas": ANY_NUMBER,
  "execution.guardrails.evidence_kinds": (value, { file }) => {
    const own = Object.keys(mapAt(file, "data_sources", "metrics", "queries"));
    const most = EVIDENCE_KINDS.length + own.filter((metric) => wellKnownMetric(metric) === undefined).length;
    return is(
      (number(value) ?? 0) > most,
      `is ${String(value)}, and there are ${most} kinds: nothing is ever rolled back without a person`,
      orLess(most),
    );
  },
  "feedback_loop.post_rollback.*.timeout": (value, { file, parent }) => {
    const timeout = ms(value);
    if (timeout === null || parent.verify_metrics_recovered === false) return null;
    const wait = verifiedEntry(file, "gitops_wait");
    if (timeout < 2 * stepOf(file))
      return {
        what: `is ${String(value)}, in which it is evaluated less than twice (watch.step): no recovery can be shown`,
        mend: write(quoted(formatDuration(10 * stepOf(file))), ", say: several steps of the watch"),
      };
    return is(
      timeout <= wait,
      `is ${String(value)}: where a GitOps controller manages what was rolled back nothing counts as recovered before gitops_wait (${formatDuration(wait)}), so no recovery can be shown there`,
      write(quoted(formatDuration(2 * wait)), ", say: well above gitops_wait"),
    );
  },
  "feedback_loop.post_rollback.*.gitops_wait": (value, { parent, written }) => {
    const wait = ms(value);
    const timeout = ms(parent.timeout) ?? 0;
    const never =
      wait !== null && written.timeout === undefined && wait >= timeout && parent.verify_metrics_recovered !== false;
    return is(
      never,
      `is ${String(value)}, as long as recovery may take (timeout ${formatDuration(timeout)}): none can be shown where a GitOps controller manages what was rolled back`,
      `${orLess(quoted(formatDuration(timeout / 2)))}, or a longer timeout`,
    );
  },
  "feedback_loop.post_rollback.*.drift_watch": (value, { file }) => {
    const length = ms(value);
    return is(
      length !== null && length > 0 && length < stepOf(file),
      `is ${String(value)}, less than a step of the watch: nothing is evaluated in it`,
      `${orMore(quoted(formatDuration(stepOf(file))))}, or "0s"`,
    );
  },
  "services.*.routes.*.revenue_per_minute": FOR_KNOWLEDGE,
  "services.*.revenue_per_minute": FOR_KNOWLEDGE,
  "freeze_windows.*.duration": (value, { parent: { cron, time_zone: zone, rollbacks } }) => {
    const length = ms(value);
    if (length === null || typeof cron !== "string" || rollbacks === "allow") return null;
    const pause = longestPause(cron, typeof zone === "string" ? zone : "UTC");
    const what =
      rollbacks === "deny"
        ? "nothing is ever rolled back, not even by a person"
        : "every rollback needs a person, always";
    return is(
      pause !== null && length >= pause,
      `is ${String(value)}, and cron begins it again before it is over: the window never ends, and ${what}`,
      "a shorter duration, or another cron",
    );
  },
  "approval.remind_after": (value, at) => {
    const told = Object.values(mapAt(at.file, "rollback_policies")).some(
      (policy) => isMap(policy) && Array.isArray(policy.notification) && policy.notification.length > 0,
    );
    return (
      beforeExpiry("nobody is ever reminded")(value, at) ??
      is(
        !told,
        "reminds nobody: no policy has a notification, so nobody was asked",
        "name somebody in a policy's notification",
      )
    );
  },
  "approval.escalate.*.after": beforeExpiry("this step is never reached"),
  "approval.escalate.*.to.*": reachesSomebody,
  "graduation.approve_after_proposals": TO_SUGGEST,
  "graduation.auto_after_recovered": TO_SUGGEST,
  "watch.step": (value) => {
    const step = ms(value);
    return is(
      step !== null && step >= PLAN_LIFETIME_MS,
      `is ${String(value)}: a plan (${formatDuration(PLAN_LIFETIME_MS)}) expires before the next evaluation, so no approval is ever carried out`,
      orLess('"1m"'),
    );
  },
  "model.budget.tokens": ANY_NUMBER,
  "model.budget.turns": ANY_NUMBER,
  "model.budget.time": ANY_NUMBER,
  "model.budget.step_time": (value, { parent }) => {
    const [step, all] = [ms(value), ms(parent.time)];
    return is(
      step !== null && all !== null && step > all,
      `is ${String(value)}, more than the whole run may take (time ${formatDuration(all ?? 0)}): it limits nothing`,
      orLess(quoted(formatDuration(all ?? 0))),
    );
  },
  "model.budget.cost": (value, { file, parent }) => {
    const prices = mapAt(file, "model", "prices");
    const dearest = Math.max(number(prices.input) ?? 0, number(prices.output) ?? 0, number(prices.cached_input) ?? 0);
    const most = ((number(parent.tokens) ?? 0) * dearest) / 1e6;
    return is(
      Object.keys(prices).length > 0 && (number(value) ?? 0) >= most,
      `is ${String(value)}, and all of budget.tokens cost ${most} at most: it limits nothing`,
      `less than ${most}`,
    );
  },
  "model.prices.input": FOR_KNOWLEDGE,
  "model.prices.cached_input": FOR_KNOWLEDGE,
  "model.prices.output": FOR_KNOWLEDGE,
  "server.requests_per_minute": ANY_NUMBER,
};

/** A limit of none is what the mode is there to say. */
const noneAtAll = (value: unknown): Vain | null =>
  is(
    value === 0,
    "is 0: what needs no person by require_approval always needs one",
    write("1", " or more, or require_approval: true"),
  );

/** A row of rollbacks without a healthy change between that lasts longer is none that anybody means. */
const DAYS_OF_A_ROW = 7;

function onlyCritical(_: unknown, { file, path }: { readonly file: unknown; readonly path: Path }): Vain | null {
  const metric = mapAt(file, ...path.slice(0, -2));
  return is(
    metric.critical !== true,
    "has no effect: the metric is not critical",
    "write critical: true, or remove it",
  );
}
