import { randomUUID } from "node:crypto";
import { conclude, stepsWith, targetsFor } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Clock, Gate, IncidentStore, Ledger, Sources } from "../../core/ports.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { linkTools } from "../chain/mcp-client.ts";
import { DEFAULT_LIMITS, modelReasoner } from "../chain/model-reasoner.ts";
import type { ChainResult } from "../chain/result.ts";
import { runChain } from "../chain/runner.ts";
import { MODEL_AGREES } from "../chain/settle.ts";
import type { BudgetedModel, Spending } from "../models/budget.ts";
import type { ChainRecord } from "../watch/ports.ts";
import { holdOf } from "./holds.ts";
import { NO_PAST, type Past, pastOf } from "./past.ts";

export interface ChainParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly ledger: Ledger;
  readonly store: IncidentStore | null;
  readonly gate: Gate;
  /** What earlier incidents say, where it does not stand in this ledger; absent: it is read there. */
  readonly past?: Past;
  /** A model with a fresh budget for one run; absent: the deterministic reasoner does the whole chain. */
  readonly model?: () => Promise<BudgetedModel>;
}

/** The context of our own tools over one case file: whatever asks, the answer comes from this snapshot. */
export function toolContext(parts: ChainParts, caseFile: ToolContext["caseFile"], caller: string): ToolContext {
  const { version, config, clock, sources, ledger, store, gate } = parts;
  let known: { readonly of: CaseFile; readonly past: Past } | null = null;
  return {
    version,
    config,
    caseFile: async (incidentId) => {
      const file = await caseFile(incidentId);
      if (known?.of !== file) known = { of: file, past: parts.past ?? (await pastOf(ledger)) };
      return file;
    },
    steps: stepsWith(() => {
      const { past, alone } = known?.past ?? NO_PAST;
      return { past, alone };
    }),
    sources,
    ledger,
    incidents: store,
    gate: { propose: gate.propose, submit: gate.submit },
    targetsFor: async (file, changeIds) => targetsFor(file, config, changeIds, parts.past ?? (await pastOf(ledger))),
    clock,
    caller,
  };
}

/**
 * The reasoning chain as the watch uses it: an MCP client, linked in memory to our own server, over the case file of
 * the moment. A chain that fails is recorded and changes nothing (S12).
 */
export function createChain(parts: ChainParts): (incident: Incident, caseFile: CaseFile) => Promise<ChainRecord> {
  return async (incident, caseFile) => {
    try {
      const result = await reasonOver(parts, incident.id, caseFile);
      return recordOf(result, incident, caseFile, parts.config);
    } catch (error) {
      const because = error instanceof Error ? error.message : "it failed";
      return {
        decision: null,
        agrees: false,
        summary: `the chain failed and changes nothing: ${because}`,
        body: { failed: because },
        usage: { inputTokens: 0, outputTokens: 0, toolCalls: 0 },
        questions: [],
      };
    }
  };
}

export interface Reasoned extends ChainResult {
  /** What a model used; absent: none was asked. */
  readonly spent?: Spending;
}

/** Runs the configured steps once over a case file. */
export async function reasonOver(
  parts: ChainParts,
  incidentId: string | undefined,
  caseFile: CaseFile,
): Promise<Reasoned> {
  const server = createServer(
    toolContext(parts, async () => caseFile, "chain"),
    { readOnly: true },
  );
  const tools = await linkTools((transport) => server.connect(transport));
  try {
    const run = {
      tools,
      config: parts.config,
      now: parts.clock.now,
      ...(incidentId === undefined ? {} : { incidentId }),
    };
    const budget = parts.config.model?.budget;
    if (parts.model === undefined || budget === undefined) return await runChain(run);
    const model = await parts.model();
    const result = await runChain({
      ...run,
      reasoner: modelReasoner(model, { ...DEFAULT_LIMITS, tokens: budget.tokens, stepMs: budget.stepTimeMs }),
      modelAbort: AbortSignal.timeout(budget.timeMs),
    });
    return { ...result, spent: model.spent() };
  } finally {
    await tools.close();
    await server.close();
  }
}

function recordOf(result: Reasoned, incident: Incident, caseFile: CaseFile, config: Config): ChainRecord {
  const concluded = conclude(caseFile, config, incident.affectedServices, result.answers).decision;
  const { decision } = incident;
  const same =
    decision !== null && decision.action === concluded.action && sameChanges(decision.changeIds, concluded.changeIds);
  const opinions = result.model === null ? [] : (result.settled?.opinions ?? []);
  const steps = result.deterministic.steps.map(
    ({ step, outcome, calls }) => `${step} ${outcome} (${calls.length} calls)`,
  );
  return {
    decision: concluded,
    agrees: agreementOf(result, same),
    summary: `${opinions.length === 0 ? "" : `${opinions.join("; ")}; `}${concluded.action}${concluded.culprit === null ? "" : ` of ${concluded.culprit.changeId}`}: ${steps.join(", ")}`,
    body: {
      steps: result.deterministic.steps,
      answers: result.answers,
      model: result.model,
      settled: result.settled,
      holds: holdOf(result),
      losses: result.losses,
      spent: result.spent ?? null,
    },
    usage: result.usage,
    questions: result.model === null ? [] : (result.settled?.questions ?? []),
  };
}

/**
 * Whether a model, where one was asked and answered, would do the same; null where none did. Without a model the same
 * core reads the same evidence again: that it says the same is no second opinion, but that it does not is worth saying.
 */
function agreementOf({ model, settled }: ChainResult, same: boolean): boolean | null {
  if (model === null || model.answers.recommend_action === undefined) return same ? null : false;
  return (settled?.questions ?? []).length === 0 && (settled?.opinions ?? []).every((one) => one === MODEL_AGREES);
}

function sameChanges(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}

/** Throws for an incident that the ledger does not hold; tools say so to their caller. */
export async function knownIncident(ledger: Ledger, id: string): Promise<Incident> {
  const incident = await ledger.incident(id);
  if (incident === null) throw new UnshipError("incident.unknown", { incident: id });
  return incident;
}

/** An id for a plan that nobody can guess or meet twice. */
export function newPlanId(): string {
  return `plan-${randomUUID().slice(0, 13)}`;
}
