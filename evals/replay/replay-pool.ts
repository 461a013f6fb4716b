import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { extname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { type ErrorCode, UnshipError } from "../../core/errors.ts";
import type { ReplayOptions, ReplayResult } from "./replay.ts";
import { answerOf, type WorkerAnswer, type WorkerTask } from "./replay-answer.ts";

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

/** A bundle that could not be read ("bundle.invalid", "bundle.unreadable"), or that unship itself failed on ("replay.failed"). */
export interface NotReplayed {
  readonly directory: string;
  readonly error: UnshipError;
}

export interface Replays {
  readonly replayed: readonly Replayed[];
  /** In the order of the folders. */
  readonly failed: readonly NotReplayed[];
  /** What was odd in bundles and was read all the same, a sentence each, in the order of the folders. */
  readonly warnings: readonly string[];
}

/**
 * Replays each bundle, sorted by id (then folder), whatever finished first: several workers give the same bytes as one.
 * A bundle is in memory only while it is replayed. One that cannot be replayed stands in `failed` and stops no other.
 * What would stop every bundle, such as a wrong configuration, is thrown.
 */
export async function replayEach(
  directories: readonly string[],
  options: ReplayOptions,
  abort: AbortSignal,
  { workers = availableParallelism(), heapMb, onDone }: PoolOptions = {},
): Promise<Replays> {
  const folders = [...new Set(directories)];
  const answers = new Map<string, WorkerAnswer>();
  // The largest first, so that no core is left alone with a long one at the end.
  const waiting = folders.toSorted((a, b) => bytesOf(b) - bytesOf(a));
  let stopped = false;
  const take = (): string | undefined => (stopped ? undefined : waiting.shift());
  const done = (directory: string, answer: WorkerAnswer) => {
    answers.set(directory, answer);
    stopped ||= "refused" in answer && !isOfTheBundle(answer.refused.code);
    onDone?.(answers.size);
  };
  const count = Math.min(Math.max(1, workers), waiting.length);
  if (count <= 1) await replayHere(take, done, options, abort);
  else await Promise.all(Array.from({ length: count }, () => replayInWorker(take, done, options, { abort, heapMb })));
  abort.throwIfAborted();
  const all = folders.flatMap((directory) => {
    const answer = answers.get(directory);
    return answer === undefined ? [] : [{ directory, answer }];
  });
  return {
    replayed: all
      .flatMap(({ directory, answer }) => ("result" in answer ? [{ directory, result: answer.result }] : []))
      .sort((a, b) => compare(a.result.id, b.result.id) || compare(a.directory, b.directory)),
    failed: all.flatMap(({ directory, answer }) =>
      "result" in answer ? [] : [{ directory, error: errorOf(directory, answer) }],
    ),
    warnings: all.flatMap(({ answer }) => answer.warnings),
  };
}

/** As `replayEach`, for whoever needs all of them: the first failure, in the order of the folders, is thrown. */
export async function replayAll(
  directories: readonly string[],
  options: ReplayOptions,
  abort: AbortSignal,
  pool: PoolOptions = {},
): Promise<readonly Replayed[]> {
  const { replayed, failed } = await replayEach(directories, options, abort, pool);
  if (failed[0] !== undefined) throw failed[0].error;
  return replayed;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isOfTheBundle = (code: ErrorCode): boolean => code.startsWith("bundle.");

/** Throws what is no fault of the bundle. */
function errorOf(directory: string, answer: Exclude<WorkerAnswer, { readonly result: ReplayResult }>): UnshipError {
  if ("failed" in answer)
    return new UnshipError("replay.failed", { bundle: directory }, { cause: new Failure(answer.failed) });
  const error = new UnshipError(answer.refused.code, answer.refused.facts);
  if (isOfTheBundle(error.code)) return error;
  throw error;
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
  for (let directory = take(); directory !== undefined; directory = take())
    done(directory, await answerOf(directory, options, abort));
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
      if (current !== undefined) done(current, { failed: reason, warnings: [] });
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
