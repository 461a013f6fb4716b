import { parentPort } from "node:worker_threads";
import { answerOf, type WorkerTask } from "./replay-answer.ts";

/** One core's share of a replay: a bundle at a time, as the pool hands them out; null: there is no more. */
parentPort?.on("message", (task: WorkerTask | null) => {
  if (task === null) parentPort?.close();
  else void work(task);
});

async function work({ directory, options }: WorkerTask): Promise<void> {
  parentPort?.postMessage(await answerOf(directory, options, new AbortController().signal));
}
