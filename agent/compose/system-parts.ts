import type { Config } from "../../core/config/config.ts";
import type { SeenWorkload } from "../../core/config/derive/evidence.ts";
import type { Trouble } from "../../core/config/variables.ts";
import type { Gap } from "../../core/model/assessment.ts";
import type { Clock, Executor, Sources } from "../../core/ports.ts";
import type { Catalogue } from "../../mcp-tools/connectors/prometheus/catalogue.ts";
import type { PrometheusSource } from "../../mcp-tools/connectors/prometheus/prometheus.ts";
import type { Observer } from "./observers.ts";
import type { Environment } from "./secrets.ts";

/** One thing that a source said of itself when asked. */
export interface SourceReport {
  readonly ok: boolean;
  readonly text: string;
  /** Not ok by the file's own fault, though the source answers: where in the file, and what to do. */
  readonly trouble?: Trouble;
  /** Nothing fails by it, and somebody should know. */
  readonly caution?: true;
  /** Not ok though it answers: what the agent holds can write, and only the gate may. */
  readonly tooMuch?: true;
}

/** What `check` asks of the live system to hold the file's names against it. Each throws as its client does. */
export interface Tells {
  readonly workloads: ((abort: AbortSignal) => Promise<readonly SeenWorkload[]>)[];
  /** null: it may not tell. */
  readonly namespaces: ((abort: AbortSignal) => Promise<readonly string[] | null>)[];
  readonly applications: ((abort: AbortSignal) => Promise<readonly string[]>)[];
  readonly flags: ((abort: AbortSignal) => Promise<readonly string[]>)[];
  readonly metrics: { readonly prometheus: PrometheusSource; readonly catalogue: Catalogue }[];
}

/** What each opener adds to. */
export interface SystemParts {
  readonly sources: { readonly [K in keyof Sources]-?: NonNullable<Sources[K]>[number][] };
  readonly executors: Executor[];
  readonly observe: Observer[];
  /** What sources left out of their last answers; asked after they answered. */
  readonly lacks: (() => readonly Gap[])[];
  readonly report: ((abort: AbortSignal) => Promise<SourceReport>)[];
  readonly tells: Tells;
  readonly close: (() => Promise<void>)[];
}

export interface OpenContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly environment: Environment;
  /** Whether executors are made too: only where the gate stands. */
  readonly act: boolean;
  /** A source that cannot even be opened (no kubeconfig, no pod's account) is reported as down, and the others go on. */
  readonly lenient?: boolean;
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
