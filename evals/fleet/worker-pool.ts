import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";

/**
 * Hands tasks to workers of `module` (a file of this folder, without its ending) on all cores, one at a time each; the
 * answers are in the order of the tasks, whatever finished first. `onDone` hears after each how many are done. Rejects with
 * the first error of a worker.
 */
export async function answersOf<Task, Answer>(
  module: string,
  tasks: readonly Task[],
  onDone: (done: number, all: number) => void = () => undefined,
  workers: number = availableParallelism(),
): Promise<readonly Answer[]> {
  const answers = new Map<number, Answer>();
  let next = 0;
  const work = async () => {
    const worker = new Worker(join(import.meta.dirname, `${module}${extname(import.meta.filename)}`));
    try {
      for (let index = next++; index < tasks.length; index = next++) {
        answers.set(index, await answered<Task, Answer>(worker, tasks[index]));
        onDone(answers.size, tasks.length);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, tasks.length) }, work));
  return tasks.flatMap((_, index) => answers.get(index) ?? []);
}

/** What a worker answers to one task; its error, or its end without an answer, rejects. */
function answered<Task, Answer>(worker: Worker, task: Task | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const ended = (code: number) => reject(new Error(`a worker ended with code ${code}`));
  worker.once("message", resolve).once("error", reject).once("exit", ended);
  worker.postMessage(task);
  return promise.finally(() => worker.off("message", resolve).off("error", reject).off("exit", ended));
}
