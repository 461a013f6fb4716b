import { podLabelsOf, type Series } from "../model/signal.ts";
import { alias } from "./aliases.ts";

/** Series of one case, found by service and metric. Labelled ones apart. */
export interface SampleIndex {
  whole(service: string, metric: string): Series | undefined;
  byVersion(service: string, metric: string): ReadonlyMap<string, Series>;
  /** Of each pod whose version is known. */
  byPod(service: string, metric: string): readonly PodSeries[];
  readonly services: readonly string[];
  /** The longest of the finest steps of the services, ms; 0 without services. */
  readonly coarsestMs: number;
  /** Metrics of one service as a whole. */
  metrics(service: string): readonly Series[];
}

/** The series of one pod, with what that runs. */
export interface PodSeries {
  readonly version: string;
  readonly series: Series;
}

/** Many steps of one assessment ask for the same index: it is made once for each list of series. */
const indexed = new WeakMap<readonly Series[], Map<string, SampleIndex>>();

export function indexSeries(series: readonly Series[], versionLabel: string): SampleIndex {
  const known = indexed.get(series) ?? new Map<string, SampleIndex>();
  indexed.set(series, known);
  const index = known.get(versionLabel) ?? newIndex(series, versionLabel);
  known.set(versionLabel, index);
  return index;
}

function newIndex(series: readonly Series[], versionLabel: string): SampleIndex {
  const whole = new Map<string, Map<string, Series>>();
  const versions = new Map<string, Map<string, Series>>();
  const pods = new Map<string, PodSeries[]>();
  const said = new Set(series.map(({ service, metric }) => `${service}\n${metric}`));
  const others = series.flatMap((one) => alias(one) ?? []).filter((one) => !said.has(`${one.service}\n${one.metric}`));
  for (const one of [...series, ...others]) {
    const labels = Object.keys(one.labels);
    const version = one.labels[versionLabel];
    const pod = labels.length === 2 ? podLabelsOf(one) : null;
    if (labels.length === 0) {
      const metrics = whole.get(one.service) ?? new Map<string, Series>();
      whole.set(one.service, metrics);
      const known = metrics.get(one.metric);
      if (known === undefined || one.stepMs < known.stepMs) metrics.set(one.metric, one);
    } else if (labels.length === 1 && version !== undefined) {
      const key = `${one.service}\n${one.metric}`;
      const found = versions.get(key) ?? new Map<string, Series>();
      versions.set(key, found);
      found.set(version, one);
    } else if (pod !== null) {
      const key = `${one.service}\n${one.metric}`;
      const found = pods.get(key) ?? [];
      pods.set(key, found);
      found.push({ version: pod.version, series: one });
    }
  }
  const metrics = new Map([...whole].map(([service, ofService]) => [service, [...ofService.values()]]));
  return {
    whole: (service, metric) => whole.get(service)?.get(metric),
    byVersion: (service, metric) => versions.get(`${service}\n${metric}`) ?? new Map(),
    byPod: (service, metric) => pods.get(`${service}\n${metric}`) ?? [],
    services: [...whole.keys()].sort(),
    coarsestMs: Math.max(0, ...[...metrics.values()].map((all) => Math.min(...all.map(({ stepMs }) => stepMs)))),
    metrics: (service) => metrics.get(service) ?? [],
  };
}

export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** Samples that were measured wholly within `from` < … ≤ `to` (a sample covers the step that ends at its time). */
export function samplesBetween(series: Series | undefined, from: number, to: number): readonly Sample[] {
  if (series === undefined) return [];
  const found: Sample[] = [];
  const first = Math.max(0, Math.floor((from - series.startAt) / series.stepMs) + 1);
  for (let i = first; i < series.values.length; i++) {
    const at = series.startAt + i * series.stepMs;
    if (at > to) break;
    const value = series.values[i];
    if (value !== null && value !== undefined && Number.isFinite(value)) found.push({ at, value });
  }
  return found;
}

/** The values of the same samples alone, oldest first; those below `least` left out. */
export function valuesBetween(
  series: Series | undefined,
  from: number,
  to: number,
  least = Number.NEGATIVE_INFINITY,
): readonly number[] {
  if (series === undefined) return [];
  const { startAt, stepMs, values } = series;
  const first = Math.max(0, Math.floor((from - startAt) / stepMs) + 1);
  const end = Math.min(values.length, Math.floor((to - startAt) / stepMs) + 1);
  // Made in its length: a list that grows is copied as it grows, and an assessment reads thousands of them.
  const found = new Array<number>(Math.max(0, end - first));
  let count = 0;
  for (let i = first; i < end; i++) {
    const value = values[i];
    if (value === null || value === undefined || !Number.isFinite(value) || value < least) continue;
    found[count] = value;
    count += 1;
  }
  found.length = count;
  return found;
}

/** Errors and requests of a span, from an error ratio and a request rate on the same grid. Null where traffic is unknown. */
export function countsBetween(
  errors: Series | undefined,
  rate: Series | undefined,
  from: number,
  to: number,
): { readonly k: number; readonly n: number } | null {
  if (errors === undefined || rate === undefined) return null;
  const shift = (errors.startAt - rate.startAt) / errors.stepMs;
  if (errors.stepMs === rate.stepMs && Number.isInteger(shift)) return alignedCounts(errors, rate, shift, from, to);
  const byTime = new Map(samplesBetween(rate, from, to).map(({ at, value }) => [Math.round(at / rate.stepMs), value]));
  let k = 0;
  let n = 0;
  for (const { at, value } of samplesBetween(errors, from, to)) {
    const requests = (byTime.get(Math.round(at / rate.stepMs)) ?? Number.NaN) * (errors.stepMs / 1000);
    if (!(requests >= 0)) continue;
    k += Math.max(0, Math.min(1, value)) * requests;
    n += requests;
  }
  return n > 0 ? { k, n } : null;
}

/** The same where sample i of the errors is of the step of sample i + `shift` of the rate. */
function alignedCounts(
  errors: Series,
  rate: Series,
  shift: number,
  from: number,
  to: number,
): { readonly k: number; readonly n: number } | null {
  const { startAt, stepMs, values } = errors;
  let k = 0;
  let n = 0;
  for (let i = Math.max(0, Math.floor((from - startAt) / stepMs) + 1); i < values.length; i++) {
    if (startAt + i * stepMs > to) break;
    const value = values[i];
    const each = rate.values[i + shift];
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    if (each === null || each === undefined || !Number.isFinite(each)) continue;
    const requests = each * (stepMs / 1000);
    if (!(requests >= 0)) continue;
    k += Math.max(0, Math.min(1, value)) * requests;
    n += requests;
  }
  return n > 0 ? { k, n } : null;
}
