import type { Condition, Config } from "../config/config.ts";
import { HEALTH_SPAN_MS } from "../config/health-span.ts";
import type { Rollout } from "../model/evidence.ts";
import type { ConditionState, Finding } from "../model/finding.ts";
import { type Series, signalId } from "../model/signal.ts";
import { durationText } from "../model/time.ts";
import { stuckText } from "./findings.ts";
import { withUnit } from "./meaning.ts";
import { believableRollouts, silentAfter } from "./silence.ts";

/**
 * The conditions of the configured policies, each watched for each service: alternatives, with Prometheus' meaning of
 * `for` (the first sample beyond the threshold starts the clock, one that is not restarts it). A missing sample does
 * neither; silence longer than two steps and a minute restarts the clock and is reported.
 * @see https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
 */
export interface ConditionWatch {
  take(series: Series): void;
  states(now: number, findings: readonly Finding[], rollouts: readonly Rollout[]): readonly ConditionState[];
  /** Drops what carries labels (pods) and has been silent since then. */
  forget(before: number): void;
  state(): ConditionMemory;
  restore(memory: ConditionMemory): void;
}

/** What is remembered of one signal under policy: plain data. */
export interface Tracked {
  service: string;
  metric: string;
  unit: string;
  stepMs: number;
  firstAt: number;
  lastAt: number;
  value: number;
  /** By condition ("policy/index"): when the unbroken stretch began, or null. */
  since: Record<string, number | null>;
  /** Health alone: consecutive and recent failures, and whether the pod was ever ready. */
  run: number;
  runSince: number | null;
  failures: readonly { readonly at: number; readonly count: number }[];
  /** Since when failures have come again and again, none longer than `HEALTH_SPAN_MS` after the one before. */
  spellSince?: number | null;
  everReady: boolean;
  /** The silence that restarted the clocks last: how long it was, and when the signal spoke again. */
  silence: { readonly ms: number; readonly until: number } | null;
  labelled: boolean;
}
export type ConditionMemory = Readonly<Record<string, Tracked>>;

interface Placed {
  readonly id: string;
  readonly policy: string;
  readonly index: number;
  readonly condition: Condition;
}

/** A pod that was never ready may fail its checks for so long before that counts. */
const STARTUP_GRACE_MS = 60_000;
const HEALTH = "health_check_failures";

export function createConditionWatch(config: Config): ConditionWatch {
  const placed: readonly Placed[] = config.policies.flatMap((policy) =>
    policy.conditions.map((condition, index) => ({
      id: `${policy.name}/${index}`,
      policy: policy.name,
      index,
      condition,
    })),
  );
  const metrics = new Set(placed.map(({ condition }) => (condition.kind === "health" ? HEALTH : condition.metric)));
  const tracked = new Map<string, Tracked>();
  return {
    take(series) {
      const isHealth = series.metric === HEALTH;
      if (!metrics.has(series.metric) || (!isHealth && Object.keys(series.labels).length > 0)) return;
      const key = signalId(series);
      const one = tracked.get(key) ?? newTracked(series);
      tracked.set(key, one);
      one.stepMs = Math.min(one.stepMs, series.stepMs);
      const judging = placed.filter(
        ({ condition }) => condition.kind === "threshold" && condition.metric === one.metric,
      );
      // What is read again was judged before.
      const first = Math.max(0, Math.floor((one.lastAt - series.startAt) / series.stepMs));
      for (let i = first; i < series.values.length; i++) {
        const at = series.startAt + i * series.stepMs;
        const value = series.values[i] ?? Number.NaN;
        if (at > one.lastAt && Number.isFinite(value)) takeSample(one, judging, at, value);
      }
    },
    forget(before) {
      for (const [key, one] of tracked) if (one.labelled && one.lastAt < before) tracked.delete(key);
    },
    states: (now, findings, rollouts) => {
      const believed = believableRollouts(rollouts, now, config.watch.stepMs);
      return [...statesOf(placed, [...tracked.values()], now, findings, believed)];
    },
    state: () => structuredClone(Object.fromEntries(tracked)),
    restore(memory) {
      tracked.clear();
      for (const [key, one] of Object.entries(structuredClone(memory))) tracked.set(key, one);
    },
  };
}

function newTracked(series: Series): Tracked {
  const { service, metric, unit, stepMs } = series;
  const rest = { since: {}, run: 0, runSince: null, failures: [], everReady: false, silence: null };
  const labelled = Object.keys(series.labels).length > 0;
  return { service, metric, unit, stepMs, firstAt: -1, lastAt: -1, value: Number.NaN, labelled, ...rest };
}

/** `judging`: the thresholds for its metric. */
function takeSample(one: Tracked, judging: readonly Placed[], at: number, value: number): void {
  if (one.firstAt < 0) one.firstAt = at;
  if (one.lastAt >= 0 && at - one.lastAt > silentAfter(one.stepMs)) {
    one.silence = { ms: at - one.lastAt, until: at };
    one.since = {};
    one.run = 0;
    one.runSince = null;
  }
  for (const { id, condition } of judging)
    if (condition.kind === "threshold") one.since[id] = beyond(condition, value) ? (one.since[id] ?? at) : null;
  if (one.metric === HEALTH) takeHealth(one, at, value);
  one.lastAt = at;
  one.value = value;
}

/** Above the upper bound counts as well: it is more than the condition asks for, not less. */
function beyond(condition: Extract<Condition, { kind: "threshold" }>, value: number): boolean {
  return condition.comparison === "greater_than" ? value > condition.threshold : value < condition.threshold;
}

function takeHealth(one: Tracked, at: number, value: number): void {
  if (value <= 0) one.everReady = true;
  const starting = !one.everReady && at - one.firstAt < STARTUP_GRACE_MS;
  const failed = value > 0 && !starting;
  one.run = failed ? one.run + 1 : 0;
  one.runSince = failed ? (one.runSince ?? at) : null;
  const recent = one.failures.filter((failure) => at - failure.at < HEALTH_SPAN_MS);
  if (failed) one.spellSince = recent.length === 0 ? at : (one.spellSince ?? recent[0]?.at ?? at);
  one.failures = failed ? [...recent, { at, count: value }] : recent;
}

function* statesOf(
  placed: readonly Placed[],
  tracked: readonly Tracked[],
  now: number,
  findings: readonly Finding[],
  rollouts: readonly Rollout[],
): Generator<ConditionState> {
  for (const one of placed) {
    const { condition } = one;
    if (condition.kind === "threshold") {
      for (const signal of tracked)
        if (signal.metric === condition.metric) yield thresholdState(one, condition, signal, now);
    } else if (condition.kind === "health") yield* healthStates(one, condition, tracked, now, rollouts);
    else yield* regressionStates(one, condition, findings);
  }
}

const stateBase = (one: Placed, service: string, metric: string) => ({
  policy: one.policy,
  condition: one.index,
  text: one.condition.text,
  service,
  metric,
});

function thresholdState(
  one: Placed,
  condition: Extract<Condition, { kind: "threshold" }>,
  signal: Tracked,
  now: number,
): ConditionState {
  const base = { ...stateBase(one, signal.service, signal.metric), value: signal.value, asOf: signal.lastAt };
  if (isSilent(signal, now)) {
    const because = `${signal.metric} of ${signal.service} ${silenceText(signal.lastAt, now)}`;
    return { ...base, state: "unknown", since: null, firesAt: null, value: null, because };
  }
  const since = signal.since[one.id] ?? null;
  const shown = withUnit(signal.value, signal.unit);
  const note = silenceNote(signal, condition.durationMs);
  if (since === null) return { ...base, state: "inactive", since, firesAt: null, because: `now ${shown}${note}` };
  const held = signal.lastAt === since ? "in its newest sample" : `for ${durationText(signal.lastAt - since)}`;
  const firing = signal.lastAt - since >= condition.durationMs;
  return {
    ...base,
    state: firing ? "firing" : "pending",
    since,
    firesAt: firing ? null : since + condition.durationMs,
    because: `now ${shown}, beyond ${withUnit(condition.threshold, signal.unit)} ${held}${note}`,
  };
}

const isSilent = ({ lastAt, stepMs }: Tracked, now: number): boolean => now - lastAt > silentAfter(stepMs);

const silenceText = (lastAt: number, now: number): string =>
  lastAt < 0 ? "has given no sample yet" : `has had no data for ${durationText(now - lastAt)}`;

/**
 * What a silence cost, for as long as it can matter: once the signal has spoken again for the condition's whole
 * duration, a stretch that the silence broke would have fired or been broken by itself, and nothing is said any more.
 */
function silenceNote({ silence, lastAt }: Tracked, durationMs: number): string {
  if (silence === null || lastAt - silence.until > durationMs) return "";
  const until = new Date(silence.until).toISOString();
  return `; it had no data for ${durationText(silence.ms)} before ${until}: the clock restarted`;
}

function* healthStates(
  one: Placed,
  condition: Extract<Condition, { kind: "health" }>,
  tracked: readonly Tracked[],
  now: number,
  rollouts: readonly Rollout[],
): Generator<ConditionState> {
  const services = new Map<string, ConditionState>();
  const keep = (state: ConditionState) => {
    const order = { firing: 3, pending: 2, unknown: 1, inactive: 0 };
    const known = services.get(state.service);
    if (known === undefined || order[state.state] > order[known.state]) services.set(state.service, state);
  };
  const unknown = (service: string, because: string) => {
    const base = stateBase(one, service, HEALTH);
    keep({ ...base, state: "unknown", since: null, firesAt: null, value: null, because });
  };
  const signals = tracked.filter(({ metric }) => metric === HEALTH);
  for (const [service, pods] of Map.groupBy(signals, (signal) => signal.service)) {
    // A pod that is gone is silent for good: its service is judged by the pods that still report.
    const speaking = pods.filter((signal) => !isSilent(signal, now));
    for (const signal of speaking) keep(podState(one, condition, signal));
    if (speaking.length > 0 || isScaledToNothing(service, rollouts)) continue;
    unknown(service, `every pod of ${service} ${silenceText(Math.max(...pods.map(({ lastAt }) => lastAt)), now)}`);
  }
  for (const rollout of rollouts) {
    if (rollout.status === "unknown")
      unknown(rollout.service, `the rollout of ${rollout.service} ${silenceText(rollout.observedAt, now)}`);
    if (rollout.status !== "stuck") continue;
    const since = rollout.startedAt ?? rollout.observedAt;
    const because = stuckText(rollout);
    const base = stateBase(one, rollout.service, HEALTH);
    keep({ ...base, state: "firing", since, firesAt: null, value: null, because });
  }
  yield* services.values();
}

/** Its own system says that none of its pods is wanted: then silence is all that there is to hear. */
function isScaledToNothing(service: string, rollouts: readonly Rollout[]): boolean {
  const own = rollouts.filter((rollout) => rollout.service === service);
  return own.length > 0 && own.every(({ status, replicas }) => status !== "unknown" && replicas.desired === 0);
}

function podState(one: Placed, condition: Extract<Condition, { kind: "health" }>, signal: Tracked): ConditionState {
  const count = condition.consecutive ? signal.run : signal.failures.reduce((sum, { count }) => sum + count, 0);
  const since = condition.consecutive ? signal.runSince : (signal.failures[0]?.at ?? null);
  const state = count >= condition.failures ? "firing" : count > 0 ? "pending" : "inactive";
  // Pods of which some are not ready fail a check now and then before they fail so many in a row.
  const first = signal.failures.length === 0 ? null : (signal.spellSince ?? null);
  return {
    ...stateBase(one, signal.service, signal.metric),
    state,
    since,
    ...(since === null || first === null || first >= since ? {} : { earliest: first }),
    firesAt: null,
    value: signal.value,
    asOf: signal.lastAt,
    because: `${count} ${condition.consecutive ? "consecutive samples with failed" : "failed"} health checks of ${signal.service}`,
  };
}

function* regressionStates(
  one: Placed,
  condition: Extract<Condition, { kind: "regression" }>,
  findings: readonly Finding[],
): Generator<ConditionState> {
  const needed = Math.log(1 / (1 - condition.confidence));
  for (const finding of findings) {
    if (finding.metric !== condition.metric || Object.keys(finding.labels).length > 0) continue;
    if (finding.detector === "threshold" || finding.verdict === "no-worse") continue;
    const firing = finding.verdict === "worse" && finding.strength >= needed;
    yield {
      ...stateBase(one, finding.service, finding.metric),
      state: finding.verdict === "unknown" ? "unknown" : firing ? "firing" : "inactive",
      since: firing ? finding.detectedAt : null,
      firesAt: null,
      value: finding.current,
      because: finding.because,
    };
  }
}
