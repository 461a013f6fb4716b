import { parentPort } from "node:worker_threads";
import { UnshipError } from "../../core/errors.ts";
import { type ReplayOptions, replayBundle } from "./replay.ts";
import type { WorkerAnswer, WorkerTask } from "./replay-pool.ts";

/** One core's share of a replay: a bundle at a time, as the pool hands them out; null: there is no more. */
parentPort?.on("message", (task: WorkerTask | null) => {
  if (task === null) parentPort?.close();
  else void work(task);
});

async function work({ directory, options }: WorkerTask): Promise<void> {
  parentPort?.postMessage(await answer(directory, options));
}

async function answer(directory: string, options: ReplayOptions): Promise<WorkerAnswer> {
  try {
    return { result: await replayBundle(directory, options, new AbortController().signal) };
  } catch (error) {
    if (error instanceof UnshipError) return { refused: { code: error.code, facts: error.facts } };
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
