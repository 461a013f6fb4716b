import { createHash } from "node:crypto";
import { assess, createAssessor, episodes } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import type { OpenShelf } from "../../core/detection/sample-memory.ts";
import type { CaseFile, Gap } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Clock, Gate, IncidentStore, Ledger, Notifier, Patience, Sources } from "../../core/ports.ts";
import { createVerifier } from "../../mcp-tools/gate/verify.ts";
import type { BudgetedModel } from "../models/budget.ts";
import type { Emit } from "../watch/events.ts";
import { createWatch, type Watch } from "../watch/watch.ts";
import { createChain } from "./chain.ts";
import { modelHolds, NO_HOLDS, withHolds } from "./holds.ts";
import { composeGate, type OwnGateParts } from "./own-gate.ts";
import { NO_PAST, pastOf } from "./past.ts";
import { createSilences } from "./silences.ts";

/** An agent acts through a gate of its own, made from these; or it hands its plans to another process' gate. */
export type AgentParts = WatchingParts &
  (
    | Pick<OwnGateParts, "executors" | "ledger" | "identity" | "newId" | "gatePatience" | "notifiesActs">
    | { readonly gate: Gate; readonly ledger: Ledger }
  );

interface WatchingParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly observe: (now: number, abort: AbortSignal, patience?: Patience) => Promise<void>;
  /** What the last `observe` could not see and what sources left out of their last answers; absent: nothing can be. */
  readonly gaps?: () => readonly Gap[];
  readonly store: IncidentStore | null;
  readonly notifier: Notifier;
  readonly emit: Emit;
  readonly postmortem: ((incident: Incident, caseFile: CaseFile | null) => Promise<string>) | null;
  /** A language model beside the core, with a fresh budget for each run; absent: none. */
  readonly model?: () => Promise<BudgetedModel>;
  /** Where the older samples of many signals stand; absent: in memory. */
  readonly openShelf?: OpenShelf;
  /** How long a tick of the watch waits for the chain, ms; absent: until it has answered. */
  readonly chainPatienceMs?: number;
  /** How long a tick of the watch waits for what it does for its incidents, ms; absent: until it is done. */
  readonly workPatienceMs?: number;
  /** How long an evaluation waits for sources that are late, which go on beside it; absent: until they have answered. */
  readonly patience?: Patience;
}

export interface Agent {
  readonly watch: Watch;
  readonly gate: Gate;
}

/**
 * Wires one agent: the watch over one assessor, the gate over one of its own (S1), the chain
 * over an in-memory client of our own MCP server. Replay and daemon differ in what they pass in, not in this.
 */
export function composeAgent(parts: AgentParts): Agent {
  const { config, sources, clock, ledger } = parts;
  const patience = parts.patience === undefined ? {} : { patience: parts.patience };
  const shelf = parts.openShelf === undefined ? {} : { openShelf: parts.openShelf };
  const assessor = createAssessor({ sources, config }, { ...shelf, ...patience });
  const silences = { look: createSilences(), gather: createSilences() };
  const unseen = parts.gaps ?? (() => []);
  const mayHold = config.model?.mayHold ?? false;
  const gate = "gate" in parts ? parts.gate : composeGate(parts);
  const chain = createChain({ ...parts, gate });
  let newest: CaseFile | null = null;
  let past = NO_PAST;
  let holds = NO_HOLDS;
  const watch = createWatch({
    config,
    clock,
    ledger,
    gate,
    ...("gate" in parts ? { gateSeesHealth: true as const } : {}),
    notifier: parts.notifier,
    store: parts.store,
    emit: parts.emit,
    look: async (now, abort) => {
      await parts.observe(now, abort, parts.patience);
      const tick = await assessor.tick(now, abort);
      return { ...tick, gaps: silences.look([...tick.gaps, ...unseen()], now) };
    },
    gather: async (now, abort) => {
      past = await pastOf(ledger);
      holds = await modelHolds(ledger, mayHold);
      const caseFile = await assessor.gather(now, abort);
      newest = { ...caseFile, gaps: silences.gather([...caseFile.gaps, ...unseen()], now) };
      return newest;
    },
    assess: (caseFile, focus) => withHolds(assess(caseFile, config, focus, past), holds),
    present: (caseFile, focus) => assess(caseFile, config, focus, past),
    episodes: (caseFile) => episodes(caseFile, config.versionLabel),
    reason: chain,
    ...(parts.chainPatienceMs === undefined ? {} : { chainPatienceMs: parts.chainPatienceMs }),
    ...(parts.workPatienceMs === undefined ? {} : { workPatienceMs: parts.workPatienceMs }),
    recovery: createVerifier({ config, sources, ...patience }),
    postmortem:
      parts.postmortem === null ? null : (incident) => parts.postmortem?.(incident, newest) ?? Promise.resolve(""),
    incidentId,
  });
  return { watch, gate };
}

/** Time and services name an incident: the same in each replay, and unique as long as two do not begin in one ms. */
function incidentId(at: number, services: readonly string[]): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([at, services]))
    .digest("hex");
  return `inc-${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${digest.slice(0, 6)}`;
}
