import { MATERIAL_LEVEL } from "../detection/evidence.ts";
import { median } from "../detection/robust.ts";
import type { Onset } from "../model/finding.ts";
import type { Demand } from "./demand.ts";
import { beforeMs, HARM_CERTAIN, levelNats } from "./harm.ts";
import { requestCosts } from "./request-cost.ts";
import type { SampleIndex } from "./samples.ts";
import { RISING_RATIO, riseByChance } from "./surge.ts";
import { POSITIVE_NATS } from "./version-signs.ts";

/** A level is read over five samples: single ones wander. */
const SMOOTHED = 5;

/**
 * Services that are degraded by nothing but the processor time that they use, where that grew with what they are asked: they are
 * asked more by an eighth, and a request costs them no more than before (three to one), so that use, the product of both, rose with what they
 * are asked. A change of theirs must then say why so many more come, as at the busy hour of each day. Empty where one of the
 * degraded services (`worse`, with what is worse of each) is not explained so: something else is wrong as well. Pure.
 */
export function useWithRequests(
  index: SampleIndex,
  worse: ReadonlyMap<string, ReadonlySet<string>>,
  onset: Onset,
  at: number,
): ReadonlyMap<string, Demand> {
  const found = [...worse].map(([service, metrics]) => {
    const processorAlone = [...metrics].every((metric) => metric === "cpu_usage");
    const demand = processorAlone ? explained(index, service, onset, at) : null;
    return demand === null ? null : ([service, demand] as const);
  });
  const all = found.filter((one) => one !== null);
  return new Map(all.length === found.length ? all : []);
}

function explained(index: SampleIndex, service: string, onset: Onset, at: number): Demand | null {
  const costs = requestCosts(index, service);
  if (costs === null) return null;
  const before = costs.between(onset.at - beforeMs(costs.stepMs), onset.at);
  const now = costs.between(onset.at, at).slice(-SMOOTHED);
  const dearer = levelNats(
    before.map(({ cost }) => cost),
    now.map(({ cost }) => cost),
    Math.log(1 + MATERIAL_LEVEL),
  );
  if (dearer > -POSITIVE_NATS) return null;
  const ratio = Math.exp(median(now.map(({ asked }) => asked)) - median(before.map(({ asked }) => asked)));
  if (ratio < RISING_RATIO) return null;
  return { ratio, from: [], nats: Math.max(-HARM_CERTAIN, riseByChance(ratio)), explains: "use" };
}
