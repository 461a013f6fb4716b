import type { AskContext } from "../../core/model/asking.ts";
import type { Window } from "../../core/model/time.ts";
import type { Question } from "../../core/ports.ts";

/** So many are asked for at once. */
const PAGE = 2_000;
/** A second with more than a page in it is recorded as far as it was told. */
const SHORTEST_MS = 1_000;
/** A recording is for people and tests: no more of one kind than this. */
const MOST = 500_000;

/**
 * All that a source has of a window, whatever it says at once: a window with more than a page is halved until each part
 * fits. What could not be had (too much in one second, too much in all) is a gap, and said how much was read.
 */
export async function readWhole<T>(
  { gaps, abort }: AskContext,
  { source, of, what }: Question,
  window: Window,
  read: (window: Window, limit: number) => Promise<{ readonly items: readonly T[]; readonly more: boolean }>,
): Promise<readonly T[]> {
  const found: T[] = [];
  const open: Window[] = [window];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    abort.throwIfAborted();
    if (found.length >= MOST) {
      gaps.push({ of, how: "partial", source, what, because: `only the first ${found.length} were read` });
      break;
    }
    const { items, more } = await read(part, PAGE);
    if (more && part.to - part.from >= SHORTEST_MS) {
      const middle = Math.floor((part.from + part.to) / 2);
      open.push({ from: middle + 1, to: part.to }, { from: part.from, to: middle });
      continue;
    }
    if (more) {
      const because = `more than ${PAGE} in one second: the rest was not read`;
      gaps.push({ of, how: "partial", source, what, because });
    }
    for (const item of items) found.push(item);
  }
  return found;
}
