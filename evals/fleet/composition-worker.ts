import { parentPort } from "node:worker_threads";
import type { Composition } from "./composition.ts";
import { type Recorded, readRecorded } from "./recorded.ts";
import { replayComposition } from "./replay-composition.ts";

/** So many recordings are held: those of a composition, and some that come again soon. */
const HELD = 6;
const held = new Map<string, Recorded>();

function read(directory: string): Recorded {
  const known = held.get(directory) ?? readRecorded(directory);
  held.delete(directory);
  held.set(directory, known);
  const [oldest] = held.keys();
  if (held.size > HELD && oldest !== undefined) held.delete(oldest);
  return known;
}

/** One core's share: a composition at a time. One that cannot be replayed ends the worker, and its error names it. */
parentPort?.on("message", async (composition: Composition) => {
  try {
    parentPort?.postMessage(await replayComposition(composition, read, new AbortController().signal));
  } catch (cause) {
    throw new Error(`${composition.id} could not be replayed`, { cause });
  }
});
