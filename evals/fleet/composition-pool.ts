import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Composition } from "./composition.ts";
import type { Composed } from "./replay-composition.ts";

/**
 * Replays compositions on all cores, whatever finished first in the order that was asked for. `onDone` hears after each how
 * many are done. Throws the first that failed.
 */
export async function replayCompositions(
  compositions: readonly Composition[],
  onDone: (done: number, all: number) => void = () => undefined,
  workers: number = availableParallelism(),
): Promise<readonly Composed[]> {
  const answers = new Map<number, Composed>();
  let next = 0;
  const work = async () => {
    const worker = new Worker(join(import.meta.dirname, `composition-worker${extname(import.meta.filename)}`));
    try {
      for (let index = next++; index < compositions.length; index = next++) {
        answers.set(index, await answerOf(worker, compositions[index]));
        onDone(answers.size, compositions.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, compositions.length) }, work));
  return compositions.flatMap((_, index) => answers.get(index) ?? []);
}

function answerOf(worker: Worker, composition: Composition | undefined): Promise<Composed> {
  const { promise, resolve, reject } = Promise.withResolvers<Composed>();
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.postMessage(composition);
  return promise.finally(() => worker.removeAllListeners());
}
