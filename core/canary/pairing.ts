import { type Series, signalKey, WELL_KNOWN_METRICS, type Worse } from "../model/signal.ts";
import type { CanaryInput, Pair, Paired } from "./model.ts";

/** So much of the baseline's past is read, in samples: an hour at 15 s. */
export const PAST_SAMPLES = 240;
const TRAFFIC = "request_rate";

/**
 * Puts both versions on one grid of time, metric by metric: the coarsest step among them, from the canary's first
 * sample on (with traffic, where that is known) for as long as the bound allows. Series of a finer step are averaged; a
 * sample that is missing in part is missing. Null: the canary has no sample.
 *
 * Where each side speaks of one service only, they are taken for the same one under two names.
 */
export function pairUp(input: CanaryInput): Paired | null {
  const sides = { baseline: byKey(input.baseline, input), canary: byKey(input.canary, input) };
  const all = [...sides.baseline.values(), ...sides.canary.values()].map(({ series }) => series);
  if (all.length === 0) return null;
  const stepMs = Math.max(...all.map((series) => series.stepMs));
  const startAt = input.since === null ? firstServed(sides.canary) : firstAfter(input.since, sides.canary);
  if (startAt === null) return null;
  const end = Math.min(input.now, startAt - stepMs + input.boundMs, Math.max(...all.map(lastAt)));
  const length = Math.max(0, Math.floor((end - startAt) / stepMs) + 1);
  const grid = { startAt, stepMs, length };
  const traffic = (side: Side, service: string): Reader | null => {
    const own = [...side.values()].find(({ series, identity }) => identity.service === service && isTraffic(series));
    return own === undefined ? null : { series: own.series, factor: stepMs / 1000 };
  };
  const pairs = [...identities(sides, input)].map((identity): Pair => {
    const key = signalKey(identity);
    const baseline = sides.baseline.get(key)?.series ?? null;
    const canary = sides.canary.get(key)?.series ?? null;
    const requests = {
      baseline: traffic(sides.baseline, identity.service),
      canary: traffic(sides.canary, identity.service),
    };
    const known = requests.baseline !== null && requests.canary !== null;
    const any = canary ?? baseline;
    return {
      ...identity,
      unit: any?.unit ?? unitOf(identity.metric),
      worse: any?.worse ?? worseOf(identity.metric),
      baseline: read(baseline, grid),
      canary: read(canary, grid),
      past: read(baseline, { ...grid, startAt: startAt - PAST_SAMPLES * stepMs, length: PAST_SAMPLES }),
      requests: known
        ? { baseline: readCounts(requests.baseline, grid), canary: readCounts(requests.canary, grid) }
        : null,
      pastRequests: known
        ? readCounts(requests.baseline, {
            ...grid,
            startAt: startAt - PAST_SAMPLES * stepMs,
            length: PAST_SAMPLES,
          })
        : null,
    };
  });
  return { pairs, ...grid, length: input.complete ? length : arrived(pairs, length) };
}

/** A sample may come so many steps late; then it is missing. */
const LATE_SAMPLES = 3;

/** How many samples have come for all that is measured: the newest of some may still be on their way. */
function arrived(pairs: readonly Pair[], length: number): number {
  const known = (value: number | undefined) => value !== undefined && !Number.isNaN(value);
  const measured = pairs.filter(({ baseline, canary }) => baseline.some(known) && canary.some(known));
  const whole = (i: number) => measured.every(({ baseline, canary }) => known(baseline[i]) && known(canary[i]));
  for (let end = length; end > Math.max(0, length - LATE_SAMPLES); end--) if (whole(end - 1)) return end;
  return length;
}

type Identity = Pick<Series, "service" | "metric" | "labels">;
type Side = ReadonlyMap<string, { readonly series: Series; readonly identity: Identity }>;

const isTraffic = ({ metric, labels }: Series): boolean => metric === TRAFFIC && Object.keys(labels).length <= 1;
const lastAt = (series: Series): number => series.startAt + (series.values.length - 1) * series.stepMs;

/** The finest series of each identity, its version label left out. */
function byKey(all: readonly Series[], { versionLabel, ...input }: CanaryInput): Side {
  const both = [input.baseline, input.canary].map((side) => new Set(side.map(({ service }) => service)));
  const single = both.every((names) => names.size === 1);
  const name = single ? [...(both[1] ?? [])][0] : undefined;
  const found = new Map<string, { readonly series: Series; readonly identity: Identity }>();
  for (const series of all) {
    const { [versionLabel]: _, ...labels } = series.labels;
    const identity = { service: name ?? series.service, metric: series.metric, labels };
    const key = signalKey(identity);
    const known = found.get(key);
    if (known === undefined || series.stepMs < known.series.stepMs) found.set(key, { series, identity });
  }
  return found;
}

function* identities(
  { baseline, canary }: { readonly baseline: Side; readonly canary: Side },
  { metrics }: CanaryInput,
): Generator<Identity> {
  const all = new Map([...canary, ...baseline].map(([key, { identity }]) => [key, identity]));
  const wanted = metrics === null ? null : new Set(metrics);
  const sorted = [...all.values()]
    .filter(({ metric }) => (wanted === null ? metric !== TRAFFIC : wanted.has(metric)))
    .sort((a, b) => (signalKey(a) < signalKey(b) ? -1 : 1));
  yield* sorted;
  const service = [...all.values()][0]?.service ?? "";
  const present = new Set(sorted.map(({ metric }) => metric));
  for (const metric of [...(wanted ?? [])].sort()) if (!present.has(metric)) yield { service, metric, labels: {} };
}

/** The canary's first sample; where its traffic is known, the first with a request. */
function firstServed(canary: Side): number | null {
  const all = [...canary.values()].map(({ series }) => series);
  const traffic = all.filter(isTraffic);
  const first = (series: Series, counts: (value: number) => boolean): number => {
    const index = series.values.findIndex((value) => value !== null && Number.isFinite(value) && counts(value));
    return index < 0 ? Number.POSITIVE_INFINITY : series.startAt + index * series.stepMs;
  };
  const at =
    traffic.length > 0
      ? Math.min(...traffic.map((series) => first(series, (value) => value > 0)))
      : Math.min(...all.map((series) => first(series, () => true)));
  return Number.isFinite(at) ? at : null;
}

/** The end of the first step of the canary that lies wholly after the moment. */
function firstAfter(since: number, canary: Side): number | null {
  const any = [...canary.values()][0]?.series;
  if (any === undefined) return null;
  return any.startAt + Math.max(0, Math.ceil((since + any.stepMs - any.startAt) / any.stepMs)) * any.stepMs;
}

interface Grid {
  readonly startAt: number;
  readonly stepMs: number;
  readonly length: number;
}
interface Reader {
  readonly series: Series;
  readonly factor: number;
}

/** The series on the grid: the nearest sample of a step, or the mean of all in it where the series is finer. */
function read(series: Series | null, { startAt, stepMs, length }: Grid): readonly number[] {
  if (series === null) return new Array<number>(length).fill(Number.NaN);
  const each = Math.max(1, Math.round(stepMs / series.stepMs));
  return Array.from({ length }, (_, i) => {
    const last = Math.round((startAt + i * stepMs - series.startAt) / series.stepMs);
    let sum = 0;
    for (let index = last - each + 1; index <= last; index++) sum += series.values[index] ?? Number.NaN;
    return Number.isFinite(sum) ? sum / each : Number.NaN;
  });
}

function readCounts(reader: Reader | null, grid: Grid): readonly number[] {
  return read(reader?.series ?? null, grid).map((value) => Math.max(0, value) * (reader?.factor ?? Number.NaN));
}

const known: Readonly<Record<string, { readonly unit: string; readonly worse: Worse }>> = WELL_KNOWN_METRICS;
const unitOf = (metric: string): string => known[metric]?.unit ?? "";
const worseOf = (metric: string): Worse => known[metric]?.worse ?? "either";
