import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { type ErrorCode, type Facts, UnshipError } from "../../core/errors.ts";
import { type ReplayOptions, type ReplayResult, replayBundle } from "./replay.ts";

export interface WorkerTask {
  readonly directory: string;
  readonly options: ReplayOptions;
}

/** What a worker says of one bundle: its result, our own refusal of it, or what went wrong in words. */
export type WorkerAnswer =
  | { readonly result: ReplayResult }
  | { readonly refused: { readonly code: ErrorCode; readonly facts: Facts } }
  | { readonly failed: string };

export interface PoolOptions {
  /** Bundles replayed at the same time; default: one a core. */
  readonly workers?: number;
  /** Memory that one worker may use for its objects, MiB; one that needs more fails and names its bundle. Default: Node's own. */
  readonly heapMb?: number;
  /** Told after each bundle how many are done. */
  readonly onDone?: (done: number) => void;
}

export interface Replayed {
  readonly directory: string;
  readonly result: ReplayResult;
}

/**
 * Replays all bundles, sorted by id (then folder), whatever finished first: several workers give the same bytes as one.
 * A bundle is in memory only while it is replayed. The first failure, in the order of the folders, is thrown: our own
 * error as it is, anything else as "replay.failed" naming the bundle.
 */
export async function replayAll(
  directories: readonly string[],
  options: ReplayOptions,
  abort: AbortSignal,
  { workers = availableParallelism(), heapMb, onDone }: PoolOptions = {},
): Promise<readonly Replayed[]> {
  const answers = new Map<string, WorkerAnswer>();
  // The largest first, so that no core is left alone with a long one at the end.
  const waiting = [...new Set(directories)].sort((a, b) => bytesOf(b) - bytesOf(a));
  const take = (): string | undefined =>
    [...answers.values()].every((answer) => "result" in answer) ? waiting.shift() : undefined;
  const done = (directory: string, answer: WorkerAnswer) => {
    answers.set(directory, answer);
    onDone?.(answers.size);
  };
  const count = Math.min(Math.max(1, workers), waiting.length);
  if (count <= 1) await replayHere(take, done, options, abort);
  else await Promise.all(Array.from({ length: count }, () => replayInWorker(take, done, options, { abort, heapMb })));
  abort.throwIfAborted();
  return [...new Set(directories)]
    .flatMap((directory) => {
      const answer = answers.get(directory);
      return answer === undefined ? [] : [{ directory, result: resultOf(directory, answer) }];
    })
    .sort((a, b) => compare(a.result.id, b.result.id) || compare(a.directory, b.directory));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function resultOf(directory: string, answer: WorkerAnswer): ReplayResult {
  if ("result" in answer) return answer.result;
  if ("refused" in answer) throw new UnshipError(answer.refused.code, answer.refused.facts);
  throw new UnshipError("replay.failed", { bundle: directory }, { cause: new Failure(answer.failed) });
}

/** So many lines of what went wrong are shown to whoever ran the replay. */
const SHOWN_LINES = 8;

class Failure extends Error {
  readonly lines: readonly string[];
  constructor(stack: string) {
    super(stack);
    this.lines = stack.split("\n").slice(0, SHOWN_LINES);
  }
}

type Take = () => string | undefined;
type Done = (directory: string, answer: WorkerAnswer) => void;

/** In this thread: what one core does anyway needs no other. */
async function replayHere(take: Take, done: Done, options: ReplayOptions, abort: AbortSignal): Promise<void> {
  for (let directory = take(); directory !== undefined; directory = take()) {
    try {
      done(directory, { result: await replayBundle(directory, options, abort) });
    } catch (error) {
      abort.throwIfAborted();
      if (error instanceof UnshipError) done(directory, { refused: { code: error.code, facts: error.facts } });
      else done(directory, { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
}

/** A worker that takes bundle after bundle. One that dies takes only its bundle with it, and says which. */
function replayInWorker(
  take: Take,
  done: Done,
  options: ReplayOptions,
  { abort, heapMb }: { readonly abort: AbortSignal; readonly heapMb: number | undefined },
): Promise<void> {
  return new Promise((resolve) => {
    const resourceLimits = heapMb === undefined ? {} : { maxOldGenerationSizeMb: heapMb };
    const worker = new Worker(join(import.meta.dirname, `replay-worker${extname(import.meta.filename)}`), {
      resourceLimits,
    });
    let current: string | undefined;
    const stop = () => void worker.terminate();
    const next = () => {
      current = take();
      if (current === undefined) worker.postMessage(null);
      else worker.postMessage({ directory: current, options } satisfies WorkerTask);
    };
    const fail = (reason: string) => {
      if (current !== undefined) done(current, { failed: reason });
      current = undefined;
    };
    abort.addEventListener("abort", stop, { once: true });
    worker.on("message", (answer: WorkerAnswer) => {
      if (current !== undefined) done(current, answer);
      next();
    });
    worker.on("error", (error) => fail(error.stack ?? error.message));
    worker.on("exit", (code) => {
      abort.removeEventListener("abort", stop);
      if (!abort.aborted) fail(`its worker ended with code ${code}`);
      resolve();
    });
    next();
  });
}

/** The size of the largest file of a bundle, its series; 0 where it has none. */
function bytesOf(directory: string): number {
  const sizes = ["series.jsonl", "series.jsonl.gz"].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return Math.max(...sizes);
}
