import { setImmediate as turn } from "node:timers/promises";
import type { Patience, WaitedFor } from "../../core/ports.ts";
import { ANSWER_MS } from "./deadlines.ts";

export interface PatienceLimits {
  /** The longest that a round waits for an answer, ms. */
  readonly capMs: number;
  /** How long a question of which nothing is known yet is waited for, ms. Default `capMs`. */
  readonly firstMs?: number;
  /** An answer that usually comes at once is waited for at least so long, ms. */
  readonly floorMs: number;
  /** How long a question is waited for whose last answer came later than `capMs`. Default 0: it is only taken where it is there. */
  readonly lateMs?: number;
}

/** What follows one another in an evaluation that has everything to do: four rounds of questions to sources, and the work. */
const PARTS = ["what nobody else keeps", "samples", "what explains them", "a verification", "the work itself"] as const;
/** No retransmission timer is shorter, since scheduling and collection alone may take as much of it (RFC 6298, 2.4). */
const FLOOR_MS = 1000;

/** For an evaluation once a step: it ends within its step though in each of its parts a source is waited for as long as may be. */
export const evaluationLimits = (stepMs: number): PatienceLimits => ({
  // What takes half of the time that an answer may take at all is late, however long the step is.
  capMs: Math.min(ANSWER_MS / 2, Math.max(FLOOR_MS, stepMs / PARTS.length)),
  floorMs: FLOOR_MS,
});

/**
 * For the gate, whose every question is read anew: a source that is known to answer slowly has as long as one answer may
 * take at all, since what the gate does not know it holds; one that hangs has no longer than one that answers at once, so that
 * a question about something else has its answer.
 */
export const gateLimits = (stepMs: number): PatienceLimits => ({
  capMs: ANSWER_MS,
  floorMs: FLOOR_MS,
  lateMs: FLOOR_MS,
  firstMs: evaluationLimits(stepMs).capMs,
});

/** For what is waited for within a part of an evaluation (a target within a scrape): half, so that the part itself is not late. */
export function withinPart({ capMs, floorMs }: PatienceLimits): PatienceLimits {
  return { capMs: capMs / 2, floorMs: floorMs / 2 };
}

/** How long one question's answers usually take, ms, and how much that varies. */
interface Usual {
  smoothed: number;
  variation: number;
  lastMs: number;
  askedAt: number;
}

/**
 * A question that nobody has asked for so long is forgotten: pods come and go, each with an address of its own. What a
 * configuration asks for is asked each step, or each minute; an hour without it says that nobody will ask again.
 */
const FORGET_MS = 3_600_000;
/** Below so many it is not worth a search: a few dozen bytes each, a hundred kilobytes in all. */
const FORGET_FROM = 1000;

/**
 * Waits for each question as long as its answers usually take: TCP's estimate of when a missing answer is lost (smoothed
 * time plus four times its variation), within `limits`. A question whose read has been under way since an earlier round,
 * or whose last answer came later than `capMs`, is late: it is not waited for, only looked at, until an answer has come in
 * time again. Once a question was late in a round, what is asked of that source after it is only looked at as well, so
 * that a round waits for a source once.
 *
 * @see RFC 6298, Computing TCP's Retransmission Timer, section 2
 */
export function createPatience(limits: PatienceLimits): Patience {
  const { capMs, floorMs, firstMs = capMs, lateMs = 0 } = limits;
  const known = new Map<string, Usual>();
  const begun = new WeakMap<Promise<unknown>, number>();

  function follow(key: string, answer: Promise<unknown>): { readonly isNew: boolean } {
    if (begun.has(answer)) return { isNew: false };
    const from = performance.now();
    begun.set(answer, from);
    const tookMs = () => performance.now() - from;
    answer.then(
      () => learn(known, key, tookMs()),
      // A failure that did not come at once was waited for in vain, however short its own time limit is.
      () => learn(known, key, tookMs() > floorMs ? Math.max(tookMs(), capMs + 1) : tookMs()),
    );
    return { isNew: true };
  }

  function boundOf(key: string): number {
    const usual = known.get(key);
    if (usual === undefined) return firstMs;
    if (usual.lastMs > capMs) return lateMs;
    return Math.min(capMs, Math.max(floorMs, usual.smoothed + 4 * usual.variation));
  }

  return {
    begin() {
      if (known.size >= FORGET_FROM) forget(known, performance.now() - FORGET_MS);
      const late = new Set<string>();
      return {
        async isThere(question, answer) {
          const group = JSON.stringify([question.source, question.what]);
          const key = keyOf(question);
          const { isNew } = follow(key, answer);
          const boundMs = late.has(group) ? 0 : isNew ? boundOf(key) : lateMs;
          const there = await settlesWithin(answer, boundMs);
          if (!there) late.add(group);
          return there;
        },
      };
    },
  };
}

const keyOf = ({ source, what, detail }: WaitedFor): string => JSON.stringify([source, what, detail ?? ""]);

function learn(known: Map<string, Usual>, key: string, ms: number): void {
  const askedAt = performance.now();
  const before = known.get(key);
  if (before === undefined) {
    known.set(key, { smoothed: ms, variation: ms / 2, lastMs: ms, askedAt });
    return;
  }
  before.variation += (Math.abs(before.smoothed - ms) - before.variation) / 4;
  before.smoothed += (ms - before.smoothed) / 8;
  before.lastMs = ms;
  before.askedAt = askedAt;
}

function forget(known: Map<string, Usual>, before: number): void {
  for (const [key, { askedAt }] of known) if (askedAt < before) known.delete(key);
}

/**
 * Whether a promise settles within so many ms. When the time is over what has come in meanwhile is read first: after a
 * long computation timers are due before sockets are looked at, and nothing is late for that.
 */
async function settlesWithin(answer: Promise<unknown>, ms: number): Promise<boolean> {
  let settled = false;
  const end = answer.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  let timer: NodeJS.Timeout | undefined;
  const over = ms <= 0 ? Promise.resolve() : new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([end, over]);
  clearTimeout(timer);
  // Twice: the first turn may still be the one in which the timers ran.
  for (let turns = 0; turns < 2 && !settled; turns += 1) await turn();
  return settled;
}
