import type { AtWorkMode } from "../core/config/at-work-mode.ts";
import type { Config } from "../core/config/config.ts";
import type { CaseFile, SeedStep, StepAnswers } from "../core/model/assessment.ts";
import type { Incident } from "../core/model/incident.ts";
import type { Target } from "../core/model/plan.ts";
import type { Clock, Gate, IncidentStore, Ledger, Sources } from "../core/ports.ts";

/**
 * The core's pure steps: each answers from the evidence, the configuration and what earlier steps answered, and says
 * in its own answer what it lacks because an earlier one is absent.
 */
export type StepFunctions = {
  readonly [S in SeedStep]: (
    file: CaseFile,
    config: Config,
    known: StepAnswers,
    context?: StepContext,
  ) => NonNullable<StepAnswers[S]>;
};

/** Which services the question is about; without it, the gravest trouble of the case. */
export interface StepContext {
  readonly services?: readonly string[];
}

/** Which targets would take these changes back, in that order; `obstacles` says why there are none. */
export interface TargetChoice {
  readonly targets: readonly Target[];
  readonly obstacles: readonly string[];
}

/** Whether a watch runs on the ledger, and since when (Unix ms); null: that cannot be seen from here. */
export interface Watching {
  readonly isWatched: boolean | null;
  readonly since: number | null;
}

/**
 * All that a tool can reach. It reads, and it hands plans to the gate; it holds no executor, no permit and no
 * approval, and nothing in it edits policy (S1, S3, S14). Whoever composes the process decides what stands behind it.
 */
export interface ToolContext {
  readonly version: string;
  readonly config: Config;
  /** The evidence: of an incident (its services, up to now), or of everything. Throws "incident.unknown". */
  readonly caseFile: (incidentId?: string) => Promise<CaseFile>;
  /** core/assessment's `stepAnswers`, or the same with more bound to it. */
  readonly steps: StepFunctions;
  /** For questions that reach beyond the snapshot. */
  readonly sources: Sources;
  readonly ledger: Pick<Ledger, "incident" | "incidents" | "entries" | "plan" | "pauses" | "lastEvaluation">;
  /** null: no memory is configured or it cannot be opened; recall then says so. */
  readonly incidents: Pick<IncidentStore, "recall"> | null;
  /** null: nothing can be proposed here, and the tools that would are not registered. */
  readonly gate: Pick<Gate, "propose" | "submit"> | null;
  /** The postmortem draft of an incident, Markdown; absent: none are made here, and the tool is not registered. */
  readonly draft?: (incident: Incident) => Promise<string>;
  /**
   * Asks the person at the client to have something done, and whether it is; absent: the client cannot ask. The answer
   * is no approval: it proves only that the client said so (S3). False for every answer but a plain yes.
   */
  readonly ask?: (request: string) => Promise<boolean>;
  /** The targets that would take back these changes, as the core's planning names them. Pure reading. */
  readonly targetsFor: (file: CaseFile, changeIds: readonly string[]) => Promise<TargetChoice>;
  /** What may execute plans on the ledger at this moment, and in which mode each; absent: nobody but whoever composed this. */
  readonly atWork?: () => Promise<readonly AtWorkMode[]>;
  /** Who detects and decides at this moment; absent: that cannot be seen from here. */
  readonly watching?: () => Promise<Watching>;
  readonly clock: Clock;
  /** Pauses so long (ms); rejects when told to stop. Absent: no call waits here, whatever it asks for. */
  readonly pause?: (ms: number, abort: AbortSignal) => Promise<unknown>;
  /**
   * Who calls, for the record alone; never widens anything. The server adds the transport and what the client called
   * itself in the handshake: "mcp" → "mcp:stdio:an-assistant".
   */
  readonly caller: string;
}
