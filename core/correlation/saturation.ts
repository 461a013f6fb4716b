import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { median } from "../detection/robust.ts";
import type { Onset } from "../model/finding.ts";
import { beforeMs } from "./harm.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** A service that uses this much of what it may has nothing left: every request waits, whichever version serves it. */
const SATURATED = 0.9;
/** Half as much again: what a request costs moves by less with the mix of requests. */
const DEARER = 1.5;

/**
 * Whether a service has run out of CPU because each request that it serves costs it more than before: then all of its pods
 * suffer, the old version's with the new one's, as far as they share what ran out. More traffic saturates too, but at the
 * same cost a request. What it fails costs it little (it turns requests away once it is full), and is not counted as
 * served. Where requests are not measured, it may be so wherever more is used than before by what matters of a level.
 * False where use is not measured.
 * @see Little (1961), "A Proof for the Queuing Formula: L = λW": at full utilisation the wait has no bound
 */
export function isSaturatedByCost(index: SampleIndex, service: string, onset: Onset, at: number): boolean {
  const use = index.whole(service, "cpu_usage");
  const rate = index.whole(service, "request_rate");
  const errors = index.whole(service, "error_rate");
  const read = (from: number, to: number) => {
    const byTime = (series: typeof rate) => new Map(samplesBetween(series, from, to).map((one) => [one.at, one.value]));
    const [rates, failed] = [byTime(rate), byTime(errors)];
    return samplesBetween(use, from, to).flatMap(({ at: time, value }) => {
      const asked = rate === undefined ? 1 : (rates.get(time) ?? 0);
      const requests = asked * Math.max(0, 1 - (rate === undefined ? 0 : (failed.get(time) ?? 0)));
      return requests > 0 ? [{ use: value, cost: value / requests }] : [];
    });
  };
  // A saturation begins before requests fail of it: what is usual is read well before the onset.
  const known = read(onset.earliest - beforeMs(use?.stepMs ?? 0), onset.earliest);
  const before = known.slice(0, Math.floor((3 * known.length) / 4));
  const since = read(onset.at, at);
  if (before.length < 4 || since.length === 0) return false;
  const middle = (of: readonly { readonly use: number; readonly cost: number }[], key: "use" | "cost") =>
    median(of.map((one) => one[key]));
  const dearer = rate === undefined ? 1 + MATERIAL_LEVEL : DEARER; // use has an end, cost has none
  return middle(since, "use") >= SATURATED && middle(since, "cost") >= dearer * middle(before, "cost");
}
