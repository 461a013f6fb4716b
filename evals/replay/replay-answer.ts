import { type ErrorCode, type Facts, UnshipError } from "../../core/errors.ts";
import { type ReplayOptions, type ReplayResult, replayBundle } from "./replay.ts";

export interface WorkerTask {
  readonly directory: string;
  readonly options: ReplayOptions;
}

/** What came of one bundle: its result, our own refusal of it, or what went wrong in words; and what was odd in it. */
export type WorkerAnswer = (
  | { readonly result: ReplayResult }
  | { readonly refused: { readonly code: ErrorCode; readonly facts: Facts } }
  | { readonly failed: string }
) & { readonly warnings: readonly string[] };

/** Replays one bundle and says what came of it, as data that can go from a worker to whoever asked. Throws only when aborted. */
export async function answerOf(directory: string, options: ReplayOptions, abort: AbortSignal): Promise<WorkerAnswer> {
  const warnings: string[] = [];
  try {
    return { result: await replayBundle(directory, options, abort, (warning) => warnings.push(warning)), warnings };
  } catch (error) {
    abort.throwIfAborted();
    if (error instanceof UnshipError) return { refused: { code: error.code, facts: error.facts }, warnings };
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error), warnings };
  }
}
