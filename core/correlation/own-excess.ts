import { keptBySamples } from "../detection/kept-by-samples.ts";
import { isLatency } from "../detection/meaning.ts";
import { median } from "../detection/robust.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { speaksOfErrors } from "./aliases.ts";
import type { CallGraph } from "./call-graph.ts";
import { beforeMs, LEAST_PART, lateEnoughToFail } from "./harm.ts";
import { type SampleIndex, valuesBetween } from "./samples.ts";

/** Where the excess is that no callee accounts for. */
export interface OwnExcess {
  /** By service: its own part of all that is anybody's own, 0 to 1. */
  readonly shares: ReadonlyMap<string, number>;
  /** Services whose excess is known, none included; that of others shows at their callers. */
  readonly measured: ReadonlySet<string>;
  /** What is in excess. */
  readonly metric: string;
  /** Whether requests are counted, so that callers and callees are compared call by call. */
  readonly counted: boolean;
  /** By service that is off: the part of its excess that none of its callees accounts for, 0 to 1. */
  readonly parts: ReadonlyMap<string, number>;
}

/**
 * What a caller waits for, or fails, contains what its callees let it wait for or fail: with requests counted, failures
 * a second and seconds of waiting a second add up along calls. So the excess over what was usual is followed down the
 * graph, and what no callee accounts for is a service's own. Where a callee is as far off a request as the caller, and
 * has at least `LEAST_PART` of its requests, it accounts for all of it (a caller may ask several times); else for as
 * much as it has. What callers that are off themselves do not pass on is no part of what their own callers suffer
 * from, and does not count. Without request counts every call is taken for one request.
 *
 * The metric: errors where findings near the onset speak of errors; else the latency that they speak of most. Where both are told, what
 * a service fails while its callees let it wait may be time-outs (`withTimeOuts`): that errors come later than the slowness they come
 * of acquits nobody of it. Services count as far as they are likely to be hurt (`harm`, log Bayes factors). Null where nobody is off, or
 * without a call graph.
 * @see Hardt et al. (2024), "The PetShop Dataset", CLeaR, §2, arXiv:2311.04806: latency of a caller contains its callees'
 */
export function ownExcess(
  index: SampleIndex,
  graph: CallGraph,
  harm: ReadonlyMap<string, number>,
  told: readonly Finding[],
  onset: Onset,
  at: number,
): OwnExcess | null {
  if (!graph.known) return null; // without calls there is nothing to follow
  const late = latestMetric(told);
  const waiting = late === null ? null : excessIn(late, index, graph, harm, onset, at);
  if (!told.some(({ metric }) => speaksOfErrors(metric))) return waiting;
  const failing = excessIn("error_rate", index, graph, harm, onset, at);
  if (failing === null || waiting === null) return failing;
  return withTimeOuts(failing, waiting, graph, (service) => lateEnoughToFail(index, service, onset, at));
}

function excessIn(
  metric: string,
  index: SampleIndex,
  graph: CallGraph,
  harm: ReadonlyMap<string, number>,
  onset: Onset,
  at: number,
): OwnExcess | null {
  const measured = new Set<string>();
  const off = new Map<string, { each: number; rate: number | null; hurt: number }>();
  for (const [service, nats] of harm) {
    const each = excessOf(index, service, metric, onset, at);
    if (each === null) continue;
    measured.add(service);
    if (each <= 0 || nats <= 0) continue;
    const rates = valuesBetween(index.whole(service, "request_rate"), onset.at, at);
    const rate = rates.length === 0 ? null : rates.reduce((sum, value) => sum + value, 0) / rates.length;
    off.set(service, { each, rate, hurt: 1 / (1 + Math.exp(-nats)) });
  }
  const counted = [...off.values()].every(({ rate }) => rate !== null);
  const flow = ({ each, rate }: { each: number; rate: number | null }) => each * (counted ? (rate ?? 0) : 1);
  const flows = new Map([...off].map(([service, one]) => [service, flow(one)]));
  const passed = passedUp(flows, graph);
  const own = new Map<string, number>();
  const parts = new Map<string, number>();
  for (const [service, one] of off) {
    let left = flow(one);
    for (const callee of graph.callees(service)) {
      const below = off.get(callee);
      if (below === undefined || callee === service) continue;
      const often = !counted || (below.rate ?? 0) >= LEAST_PART * (one.rate ?? 0);
      left -= below.hurt * (often && below.each >= one.each ? flow(one) : flow(below));
    }
    parts.set(service, flow(one) > 0 ? Math.max(0, left) / flow(one) : 0);
    own.set(service, Math.min(Math.max(0, left), passed.get(service) ?? flow(one)) * one.hurt);
  }
  const total = [...own.values()].reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return null;
  return {
    shares: new Map([...own].map(([service, value]) => [service, value / total])),
    measured,
    metric,
    counted,
    parts,
  };
}

/** What a service fails while it waits for a slow callee is that wait running into its time-outs, or its own doing: nobody tells, each as likely. */
const TIMED_OUT = 0.5;

/**
 * The shares of what fails, where some of it may be time-outs: whoever waits so long that time-outs may fail what it asks (`lateEnoughToFail`)
 * leaves `TIMED_OUT` of what it fails by itself, as far as its callees account for its waiting, to those of them, however far
 * below, whose own the waiting is. `parts` stay as they are: no callee fails it.
 */
function withTimeOuts(
  failing: OwnExcess,
  waiting: OwnExcess,
  graph: CallGraph,
  isLate: (service: string) => number,
): OwnExcess {
  const shares = new Map<string, number>();
  const add = (service: string, share: number) => shares.set(service, (shares.get(service) ?? 0) + share);
  for (const [service, share] of failing.shares) {
    const slow = [...waiting.shares].filter(([one]) => one !== service && graph.ancestors(one).has(service));
    const all = slow.reduce((sum, [, part]) => sum + part, 0);
    const accounted = all > 0 ? 1 - (waiting.parts.get(service) ?? 1) : 0;
    const passed = (TIMED_OUT * accounted) / (1 + Math.exp(-isLate(service)));
    add(service, share * (1 - passed));
    for (const [one, part] of slow) if (passed > 0) add(one, (share * passed * part) / all);
  }
  return { ...failing, shares, measured: new Set([...failing.measured, ...shares.keys()]) };
}

/**
 * How much of each service's flow comes up to where users are: the most, over the ways up its callers, of the least flow
 * on the way. A way ends where no caller is off; a circle that nobody else calls is entered anywhere. Work: the paths
 * are not walked one by one (there may be more than can be counted), only what improves a service is taken down again.
 */
function passedUp(flows: ReadonlyMap<string, number>, graph: CallGraph): ReadonlyMap<string, number> {
  const callersOf = (service: string) =>
    [...graph.callers(service)].filter((caller) => caller !== service && flows.has(caller));
  const best = new Map<string, number>();
  const take = (ends: readonly string[]): void => {
    const open = ends.toSorted((a, b) => (flows.get(a) ?? 0) - (flows.get(b) ?? 0));
    for (const end of ends) best.set(end, flows.get(end) ?? 0);
    for (let one = open.pop(); one !== undefined; one = open.pop())
      for (const callee of graph.callees(one)) {
        const comes = Math.min(flows.get(callee) ?? 0, best.get(one) ?? 0);
        if (!flows.has(callee) || comes <= (best.get(callee) ?? Number.NEGATIVE_INFINITY)) continue;
        best.set(callee, comes);
        open.push(callee);
      }
  };
  take([...flows.keys()].filter((service) => callersOf(service).length === 0));
  const circles = [...flows.keys()].filter((service) => !best.has(service));
  const isClosed = (one: string) =>
    [...graph.ancestors(one)].every((above) => !flows.has(above) || graph.ancestors(above).has(one));
  take(circles.filter(isClosed));
  return best;
}

/** The latency that most findings speak of; null where none is told. */
function latestMetric(told: readonly Finding[]): string | null {
  const counts = new Map<string, number>();
  for (const { metric, detector } of told)
    if (isLatency(metric))
      counts.set(metric, (counts.get(metric) ?? 0) + (detector === "pointed-at" ? told.length : 1));
  return [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0]?.[0] ?? null;
}

const usualMedian = keptBySamples(median);

/** What was since the onset (failures add up, of levels the median) less the median before it; null where not measured. */
function excessOf(index: SampleIndex, service: string, metric: string, onset: Onset, at: number): number | null {
  const series = index.whole(service, metric);
  const from = onset.earliest - beforeMs(series?.stepMs ?? 0);
  const before = valuesBetween(series, from, onset.earliest);
  const after = valuesBetween(series, onset.at, at);
  if (before.length === 0 || after.length === 0) return null;
  const mean = after.reduce((sum, value) => sum + value, 0) / after.length;
  const usual = usualMedian(`${service}\n${metric}`, before);
  return (metric === "error_rate" ? mean : median(after)) - usual;
}

/** Rates, samples and retries blur such sums: they say no more than sixteen to one. */
const MOST_NATS = Math.log(16);

/**
 * Log likelihood ratio of the excess where it is seen, given that the trouble starts at this service or external,
 * against its being spread over whoever is hurt: its share of all own excess (its callers' where it is not measured)
 * is then likely large, with density 2·share, instead of likely small, with 2·(1 − share). What callees suffer that it
 * floods counts as its own. 0 where nobody is off.
 */
export function ownNats(
  own: OwnExcess | null,
  graph: CallGraph,
  name: string,
  flooded: readonly string[] = [],
): number {
  if (own === null) return 0;
  return ownNatsAt(own, [...(own.measured.has(name) ? [name] : graph.callers(name)), ...flooded]);
}

/** The same, given that it shows at these services and at no others. */
export function ownNatsAt(own: OwnExcess | null, places: readonly string[]): number {
  if (own === null) return 0;
  const share = places.reduce((sum, place) => sum + (own.shares.get(place) ?? 0), 0);
  return Math.max(-MOST_NATS, Math.min(MOST_NATS, Math.log(share / Math.max(0, 1 - share))));
}
