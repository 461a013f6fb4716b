import { median } from "../detection/robust.ts";
import { anyAgainstNone } from "./beyond-old.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** So many requests a sample are taken for granted where nobody counts them: the field's usual floor of what is judged at all. */
const REQUESTS = 20;
/**
 * What a bad version breaks hurts the old one a little as well (callers that retry, pods that both lean on): a fifth of what
 * it fails itself, as a standard deviation.
 */
const LEAKS = 0.2;
const LEAST_SAMPLES = 2;

/** Shares of failed requests of two versions over the samples in which both served. */
export interface RatioSplit {
  /** Log likelihood ratio of "the new version carries what is new" against "both alike". */
  readonly nats: number;
  /** Log Bayes factor of "the new version fails beyond what ails both" against "both alike"; null where no sample tells. */
  readonly beyond: number | null;
  readonly fresh: number;
  readonly old: number;
  readonly samples: number;
}

/**
 * Two versions side by side where nobody counts their requests: each sample of a share of failed requests (0 to 1) then says
 * as much as any other. Compares the means of what is above the usual, with the scatter of the samples for their error (no
 * less than that of so few requests): alike are two equal means; a new version that carries it leaves the old one at the
 * usual, or nearly. Null where fewer than two samples have both.
 */
export function ratioSplit(
  index: SampleIndex,
  service: string,
  version: string,
  { from, to, beforeMs }: { readonly from: number; readonly to: number; readonly beforeMs: number },
): RatioSplit | null {
  const versions = index.byVersion(service, "error_rate");
  const others = new Map<number, number[]>();
  for (const [other, series] of versions) {
    if (other === version) continue;
    for (const { at, value } of samplesBetween(series, from, to)) others.set(at, [...(others.get(at) ?? []), value]);
  }
  const pairs = samplesBetween(versions.get(version), from, to).flatMap(({ at, value }) => {
    const beside = others.get(at);
    return beside === undefined ? [] : [{ at, fresh: value, old: mean(beside) }];
  });
  if (pairs.length < LEAST_SAMPLES) return null;
  const before = samplesBetween(index.whole(service, "error_rate"), from - beforeMs, from).map(({ value }) => value);
  const usual = before.length === 0 ? 0 : median(before);
  const [fresh, old] = [pairs.map((pair) => pair.fresh), pairs.map((pair) => pair.old)];
  const [a, b] = [Math.max(0, mean(fresh) - usual), Math.max(0, mean(old) - usual)];
  const pooled = Math.max(1 / REQUESTS, (mean(fresh) + mean(old)) / 2);
  const least = (pooled * (1 - Math.min(pooled, 1 - 1 / REQUESTS))) / REQUESTS;
  const error = (values: readonly number[]) => Math.max(variance(values), least) / values.length;
  // A new version that fails less than the old one is as little to blame as one that fails alike.
  const alike = logDensity(Math.max(0, a - b), error(fresh) + error(old));
  // As wide as the difference may be by chance, so that the two are densities of the same kind of thing.
  const carried = logDensity(b, error(fresh) + error(old) + (LEAKS * a) ** 2);
  const beyond = beyondWorst(pairs, index.byVersion(service, "error_rate").get(version)?.stepMs ?? 0, error);
  return { nats: carried - alike, beyond, fresh: mean(fresh), old: mean(old), samples: pairs.length };
}

/** As where requests are counted: with the worst that the old version did in the sample, the one before and the one after. */
function beyondWorst(
  pairs: readonly { readonly at: number; readonly fresh: number; readonly old: number }[],
  stepMs: number,
  error: (values: readonly number[]) => number,
): number | null {
  const byTime = new Map(pairs.map(({ at, old }) => [at, old]));
  const compared = pairs.flatMap(({ at, fresh, old }) => {
    const next = byTime.get(at + stepMs);
    return next === undefined ? [] : [{ fresh, old: Math.max(old, next, byTime.get(at - stepMs) ?? old) }];
  });
  if (compared.length < LEAST_SAMPLES) return null;
  const [fresh, old] = [compared.map((one) => one.fresh), compared.map((one) => one.old)];
  return anyAgainstNone(mean(fresh) - mean(old), mean(old), error(fresh) + error(old));
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function variance(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0) / Math.max(1, values.length - 1);
}

const logDensity = (x: number, square: number): number => -(x ** 2) / (2 * square) - 0.5 * Math.log(square);
