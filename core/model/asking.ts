import { UnshipError } from "../errors.ts";
import type { Patience, Question, Waiting } from "../ports.ts";
import type { Gap } from "./assessment.ts";
import { rfc3339 } from "./time.ts";

/** Waits for every answer: where sources answer at once (a recording), and where one look is all that there will be. */
export const UNTIL_ANSWERED: Patience & Waiting = {
  begin: () => UNTIL_ANSWERED,
  isThere: (_, answer) =>
    answer.then(
      () => true,
      () => true,
    ),
};

/** One round of questions; what was not answered is added to `gaps`. */
export interface AskContext {
  readonly now: number;
  readonly abort: AbortSignal;
  readonly gaps: Gap[];
  /** How long the round waits; absent: until everything has been answered. */
  readonly waiting?: Waiting;
  /** Hears what a question failed with, beside the gap; absent: nobody needs to know. */
  readonly failed?: (error: unknown) => void;
}

/** What a source said, and when it was asked (Unix ms): before `now` where the answer came after its round. */
export interface Answered<T> {
  readonly answer: T;
  readonly askedAt: number;
}

/**
 * The source's answer, or null and a gap where it failed. Only our own error text is kept: what a remote said stays
 * in the error's cause.
 */
export async function ask<T>(context: AskContext, question: Question, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    context.gaps.push(gapOf(question, error));
    return null;
  }
}

/** What is unknown without an answer, and why. */
export function gapOf({ of, metric, source, what, detail }: Question, error: unknown): Gap {
  const because = error instanceof UnshipError ? error.message : `${source} gave no usable answer`;
  const about = metric === undefined ? { of } : { of, metric };
  return { ...about, how: "unanswered", source, what: detail === undefined ? what : `${what}: ${detail}`, because };
}

/** What is unknown while a read that began at `askedAt` (Unix ms) goes on. */
export const pendingGap = (question: Question, askedAt: number): Gap =>
  gapOf(question, new UnshipError("source.pending", { source: question.source, since: rfc3339(askedAt) }));

/** A question that is asked again and again: see `oneAtATime`. */
export type Asking<T> = (context: AskContext, read: () => Promise<T>) => Promise<Answered<T> | null>;

interface Read<T> {
  readonly askedAt: number;
  readonly answer: Promise<T>;
}

/**
 * Asks one question of one source round by round, at most one read at a time. A round that has waited as long as it may
 * goes on with null and a gap; the read goes on beside it, and the first round that finds its answer takes it, once,
 * where a fresher one does not come in time. So an answer is never given twice: what a caller keeps of it is its own to
 * call old.
 */
export function oneAtATime<T>(question: Question): Asking<T> {
  let underWay: Read<T> | null = null;

  function start({ now }: AskContext, read: () => Promise<T>): Read<T> {
    const answer = asPromise(read);
    answer.catch(() => {}); // heard where it is taken, which may be a round later
    underWay = { askedAt: now, answer };
    return underWay;
  }

  async function take({ answer, askedAt }: Read<T>, context: AskContext): Promise<Answered<T> | null> {
    try {
      return { answer: await answer, askedAt };
    } catch (error) {
      context.failed?.(error);
      context.gaps.push(gapOf(question, error));
      return null;
    }
  }

  return async (context, read) => {
    const waiting = context.waiting ?? UNTIL_ANSWERED;
    const before = underWay;
    if (before !== null && !(await waiting.isThere(question, before.answer))) {
      context.gaps.push(pendingGap(question, before.askedAt));
      return null;
    }
    const fresh = start(context, read);
    if (await waiting.isThere(question, fresh.answer)) {
      underWay = null;
      return take(fresh, context);
    }
    if (before !== null) return take(before, context);
    context.gaps.push(pendingGap(question, fresh.askedAt));
    return null;
  };
}

/** A source that throws at once has failed like one that rejects. */
const asPromise = async <T>(read: () => Promise<T>): Promise<T> => read();
