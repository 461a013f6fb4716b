import type { Config } from "../../core/config/config.ts";
import type { Gap } from "../../core/model/assessment.ts";
import type { Clock, Executor, Sources } from "../../core/ports.ts";
import type { Observer } from "./observers.ts";
import type { Environment } from "./secrets.ts";

/** One thing that a source said of itself when asked. */
export interface SourceReport {
  readonly ok: boolean;
  readonly text: string;
  /** Not ok though it answers: what the agent holds can write, and only the gate may. */
  readonly tooMuch?: true;
}

/** What each opener adds to. */
export interface SystemParts {
  readonly sources: { readonly [K in keyof Sources]-?: NonNullable<Sources[K]>[number][] };
  readonly executors: Executor[];
  readonly observe: Observer[];
  /** What sources left out of their last answers; asked after they answered. */
  readonly lacks: (() => readonly Gap[])[];
  readonly report: ((abort: AbortSignal) => Promise<SourceReport>)[];
  readonly close: (() => Promise<void>)[];
}

export interface OpenContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly environment: Environment;
  /** Whether executors are made too: only where the gate stands. */
  readonly act: boolean;
  /** Hears what a source said beside its answer: warnings, values that are none, series without a name. */
  readonly note: (text: string) => void;
}

/**
 * Whether this process makes the executors of a source. Where the gate is a process of its own, it acts only with a
 * credential that is its own.
 */
export const actsOn = ({ act, config }: OpenContext, source: { readonly write?: unknown }): boolean =>
  act && (config.gate === undefined || source.write !== undefined);

/** Asks once; an error becomes a report that the source is down. */
export async function attempt(name: string, ask: () => Promise<string>): Promise<SourceReport> {
  try {
    return { ok: true, text: `${name}: ${await ask()}` };
  } catch (error) {
    return { ok: false, text: `${name}: ${error instanceof Error ? error.message : String(error)}` };
  }
}
