import { robustScale } from "../detection/robust.ts";
import type { Onset } from "../model/finding.ts";
import type { CallGraph } from "./call-graph.ts";
import { beforeMs, HARM_CERTAIN } from "./harm.ts";
import { onceAnIndex } from "./once.ts";
import { type SampleIndex, samplesBetween } from "./samples.ts";

/** Whether what fails where users come in came in addition to what is usually asked there. */
export interface Refused {
  /** Log Bayes factor of "as many more are asked as fail" against "of the usual requests some fail"; bounded. */
  readonly nats: number;
  /** Whether the two can be told apart by now. */
  readonly told: boolean;
}

/** Levels are compared over so many samples at least; one is what chance makes it. */
const LEAST_SAMPLES = 3;
const BLOCK_SAMPLES = 8;
/** Over longer the day moves the level by more than a client does. */
const MOST_SAMPLES = 24;
const LEAST_BLOCKS = 6;
/** Users and clients whom a change fails try again in such numbers one time in ten, and one time in ten clients only ask another thing. */
const MOST_NATS = Math.log(10);
/** Odds of three to one either way tell. */
const TOLD_NATS = Math.log(3);

/**
 * By service where users come in, of which more requests fail than before: whether these came on top of the usual ones. A client
 * that asks for what does not exist (a scanner, a broken script, a partner's bad release) adds requests that are refused,
 * as they should be, while as many are answered as ever; a change that breaks something fails requests that were
 * answered before, and no more are asked. So the requests asked since the onset are compared with the usual ones, and
 * with the usual ones and those that fail now. How far the level of requests moves by itself from one such span to the
 * next is read from before. Absent: services that others call, and where it is not measured.
 * @see RFC 9110 §15.5 (a client error is the client's: the server answers as it should)
 */
export function refusedAtEntries(
  index: SampleIndex,
  graph: CallGraph,
  harm: ReadonlyMap<string, number>,
  onset: Onset,
  at: number,
): ReadonlyMap<string, Refused> {
  const entries = index.services.filter(
    (service) => graph.entries.has(service) && (harm.get(service) ?? 0) >= HARM_CERTAIN,
  );
  return new Map(
    entries.flatMap((service) => {
      const found = once(index, `${service}\n${onset.earliest} ${onset.at} ${at}`, () =>
        newRefused(index, service, onset, at),
      );
      return found === null ? [] : [[service, found] as const];
    }),
  );
}

const once = onceAnIndex<Refused | null>();

function newRefused(index: SampleIndex, service: string, onset: Onset, at: number): Refused | null {
  const errors = index.whole(service, "error_rate");
  const rate = index.whole(service, "request_rate");
  if (errors === undefined || rate === undefined) return null;
  const read = (from: number, to: number) => {
    const shares = new Map(samplesBetween(errors, from, to).map((one) => [one.at, one.value]));
    return samplesBetween(rate, from, to).flatMap(({ at: time, value }) => {
      const share = shares.get(time);
      return share === undefined ? [] : [{ asked: value, failed: value * Math.min(1, Math.max(0, share)) }];
    });
  };
  const before = read(onset.earliest - 2 * beforeMs(rate.stepMs), onset.earliest);
  const since = read(onset.at, at).slice(0, MOST_SAMPLES);
  const size = Math.max(BLOCK_SAMPLES, since.length);
  const blocks = blockMeans(
    before.map(({ asked }) => asked),
    size,
  );
  if (since.length < 1 || blocks.length < LEAST_BLOCKS) return null;
  const usual = mean(before.slice(-size).map(({ asked }) => asked));
  const failed = mean(since.map((one) => one.failed)) - mean(before.map((one) => one.failed));
  if (!(failed > 0) || !(usual > 0)) return null;
  // Moves from one block to the next; the mean of fewer samples than a block has wanders more.
  const moves = blocks.slice(1).map((one, i) => one - (blocks[i] ?? one));
  const variance = robustScale(moves, 0) ** 2 * ((1 + size / since.length) / 2);
  if (!(variance > 0)) return null;
  const rise = mean(since.map(({ asked }) => asked)) - usual;
  const nats = (rise ** 2 - (rise - failed) ** 2) / (2 * variance);
  const bounded = Math.max(-MOST_NATS, Math.min(MOST_NATS, nats));
  return { nats: bounded, told: since.length >= LEAST_SAMPLES && Math.abs(bounded) >= TOLD_NATS };
}

/** Means of neighbouring blocks of so many values, the newest block last. */
function blockMeans(values: readonly number[], size: number): readonly number[] {
  const means: number[] = [];
  for (let end = values.length; end >= size; end -= size) means.unshift(mean(values.slice(end - size, end)));
  return means;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** It is told within this time of an onset, or the requests wander too far for it. */
const WAITED_MS = 3 * 60_000;

/** Whether it is still to be seen, soon after an onset, if what fails at a service came in addition. */
export const isUntold = (refused: Refused | undefined, onset: Onset, at: number): boolean =>
  refused !== undefined && !refused.told && at - onset.at <= WAITED_MS;
