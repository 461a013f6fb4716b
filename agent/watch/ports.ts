import type { LiveJudgement } from "../../core/canary/live.ts";
import type { Config } from "../../core/config/config.ts";
import type { Assessment, CaseFile, Gap } from "../../core/model/assessment.ts";
import type { ConditionState, Finding } from "../../core/model/finding.ts";
import type { Incident, Recovery } from "../../core/model/incident.ts";
import type { Clock, Gate, IncidentStore, Ledger, Notifier } from "../../core/ports.ts";
import type { Emit } from "./events.ts";

/** What the chain run for an incident left behind: the record of the argument, and what it cost. */
export interface ChainRecord {
  readonly decision: Assessment["decision"] | null;
  /** Whether a second opinion agrees with the core; null: no model was asked, and the core does not vouch for itself. */
  readonly agrees: boolean | null;
  readonly summary: string;
  readonly body: unknown;
  readonly usage: Incident["usage"];
  /** What a model's doubt asks people (S12); empty: nothing. */
  readonly questions: readonly string[];
}

/** All that the watch works with; everything is passed in by the composition root. */
export interface WatchParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly gate: Gate;
  /** The gate is another process, which sees for itself which changes proved healthy. */
  readonly gateSeesHealth?: true;
  readonly notifier: Notifier;
  /** How long a notice may take, ms. Default 5000. */
  readonly noticeTimeoutMs?: number;
  readonly store: IncidentStore | null;
  readonly emit: Emit;
  /** Reads what is new and says what is wrong now. */
  readonly look: (
    now: number,
    abort: AbortSignal,
  ) => Promise<{
    readonly findings: readonly Finding[];
    readonly conditions: readonly ConditionState[];
    readonly gaps: readonly Gap[];
    /** Versions that serve beside a stable one, as they are judged now; absent: none. */
    readonly canaries?: readonly LiveJudgement[];
  }>;
  readonly gather: (now: number, abort: AbortSignal) => Promise<CaseFile>;
  /** How services stand, of an incident whose decision stands already: nothing is decided by it. Absent: as `assess`. */
  readonly present?: (
    caseFile: CaseFile,
    focus: readonly string[],
  ) => Pick<Assessment, "findings" | "conditions" | "answers">;
  readonly assess: (caseFile: CaseFile, focus?: readonly string[]) => Assessment;
  /** Groups of services whose trouble hangs together: one incident each. */
  readonly episodes: (caseFile: CaseFile) => readonly (readonly string[])[];
  /** The reasoning chain over one case file; a chain that fails changes nothing (S12). */
  readonly reason: (incident: Incident, caseFile: CaseFile) => Promise<ChainRecord>;
  /** How long a tick waits for the chain, ms; absent: until it has answered, so that a replay is reproducible. */
  readonly chainPatienceMs?: number;
  /** How long a tick waits for what it does for its incidents, all together, ms; absent: until it is done. */
  readonly workPatienceMs?: number;
  /**
   * Whether the signals that were wrong are back, and no condition of the affected services speaks against it; `pending` while it is
   * too early to say. `seen`: the moment, and the conditions as they stand then.
   */
  readonly recovery: (
    incident: Incident,
    seen: Pick<CaseFile, "at" | "conditions">,
    abort: AbortSignal,
  ) => Promise<Recovery>;
  /** Writes the draft and returns where it stands; null where the configuration wants none. */
  readonly postmortem: ((incident: Incident) => Promise<string>) | null;
  /** A new incident's id from its time and services. */
  readonly incidentId: (at: number, services: readonly string[]) => string;
}
