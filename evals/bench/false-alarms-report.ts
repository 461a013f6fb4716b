import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { NullOutcome } from "./false-alarms.ts";
import { clopperPearson, type RateLimits } from "./intervals.ts";
import { NULL_KINDS } from "./null-traffic.ts";

export interface FalseAlarmReport {
  readonly benchmark: "false-alarms";
  readonly trials: number;
  readonly seed: number;
  readonly alarms: number;
  /** Trials in which an alarm stood before the change, raised in the 16 to 480 samples of history. */
  readonly before: number;
  readonly limits: RateLimits;
  readonly target: number;
  readonly met: boolean;
  readonly groups: readonly { readonly name: string; readonly trials: number; readonly alarms: number }[];
}

/** At most one false alarm in a thousand changes, at the upper 95 % limit. */
const TARGET = 1e-3;
const RATE_BANDS = [
  ["under 0.3 requests a second", 0, 0.3],
  ["0.3 to 5 requests a second", 0.3, 5],
  ["5 to 100 requests a second", 5, 100],
  ["above 100 requests a second", 100, Infinity],
] as const;

/** Watches null changes for an hour each, looking after every sample, spread over `threads` threads. */
export async function measureFalseAlarms(trials: number, seed: number, threads: number): Promise<FalseAlarmReport> {
  const size = Math.ceil(trials / threads);
  const shares = Array.from({ length: threads }, (_, i) => ({
    seed,
    from: i * size,
    to: Math.min(trials, (i + 1) * size),
  }));
  const outcomes = (await Promise.all(shares.map(runShare))).flat();
  const alarms = outcomes.filter((one) => one.alarms.length > 0).length;
  const before = outcomes.filter((one) => one.before).length;
  const limits = clopperPearson(alarms, outcomes.length);
  const group = (name: string, belongs: (one: NullOutcome) => boolean) => {
    const members = outcomes.filter(belongs);
    return { name, trials: members.length, alarms: members.filter((one) => one.alarms.length > 0).length };
  };
  const groups = [
    ...NULL_KINDS.map((kind) => group(`${kind} traffic`, (one) => one.kind === kind)),
    ...RATE_BANDS.map(([name, low, high]) => group(name, ({ rate }) => rate >= low && rate < high)),
    ...["error_rate", "p99_latency", "versions"].map((metric) => ({
      name: metric === "versions" ? "alarms on versions side by side" : `alarms on ${metric}`,
      trials: outcomes.length,
      alarms: outcomes.filter((one) => one.alarms.includes(metric)).length,
    })),
  ];
  const met = limits.upperLimit <= TARGET;
  return {
    benchmark: "false-alarms",
    trials: outcomes.length,
    seed,
    alarms,
    before,
    limits,
    target: TARGET,
    met,
    groups,
  };
}

function runShare(workerData: { readonly from: number; readonly to: number }): Promise<readonly NullOutcome[]> {
  const file = join(import.meta.dirname, `false-alarms-worker${extname(import.meta.filename)}`);
  return new Promise((resolve, reject) => {
    const worker = new Worker(file, { workerData });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

export function falseAlarmLines(report: FalseAlarmReport): readonly string[] {
  const { trials, seed, alarms, before, limits, target, met, groups } = report;
  const figure = (value: number) => value.toExponential(2);
  return [
    `false alarms of ${trials} changes that do nothing, each evaluated after every one of 240 samples (an hour at 15 s), seed ${seed}`,
    `  ${alarms} raised an alarm: ${figure(limits.rate)} a change, 95 % interval ${figure(limits.lower)} to ${figure(limits.upper)} (Clopper–Pearson)`,
    `  upper 95 % limit ${figure(limits.upperLimit)}; wanted at most ${figure(target)}: ${met ? "met" : "NOT met"}`,
    `  besides, in ${before} an alarm was on already when the change came (raised while its 16 to 480 samples of history were read)`,
    ...groups.map((one) => `  ${one.name.padEnd(34)} ${one.alarms} of ${one.trials}`),
  ];
}
