import { randomUUID } from "node:crypto";
import { conclude, stepAnswers, targetsFor } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Clock, Gate, IncidentStore, Ledger, Sources } from "../../core/ports.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { linkTools } from "../chain/mcp-client.ts";
import type { ChainResult } from "../chain/result.ts";
import { runChain } from "../chain/runner.ts";
import type { ChainRecord } from "../watch/ports.ts";
import { badVersions } from "./past.ts";

export interface ChainParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly ledger: Ledger;
  readonly store: IncidentStore | null;
  readonly gate: Gate;
}

/** The context of our own tools over one case file: whatever asks, the answer comes from this snapshot. */
export function toolContext(parts: ChainParts, caseFile: ToolContext["caseFile"], caller: string): ToolContext {
  const { version, config, clock, sources, ledger, store, gate } = parts;
  return {
    version,
    config,
    caseFile,
    steps: stepAnswers,
    sources,
    ledger,
    incidents: store,
    gate: { propose: gate.propose, submit: gate.submit },
    targetsFor: async (file, changeIds) => targetsFor(file, config, changeIds, { pastBad: await badVersions(ledger) }),
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
      };
    }
  };
}

/** Runs the configured steps once over a case file. */
export async function reasonOver(
  parts: ChainParts,
  incidentId: string | undefined,
  caseFile: CaseFile,
): Promise<ChainResult> {
  const server = createServer(
    toolContext(parts, async () => caseFile, "chain"),
    { readOnly: true },
  );
  const tools = await linkTools((transport) => server.connect(transport));
  try {
    return await runChain({
      tools,
      config: parts.config,
      now: parts.clock.now,
      ...(incidentId === undefined ? {} : { incidentId }),
    });
  } finally {
    await tools.close();
    await server.close();
  }
}

function recordOf(result: ChainResult, incident: Incident, caseFile: CaseFile, config: Config): ChainRecord {
  const concluded = conclude(caseFile, config, incident.affectedServices, result.answers).decision;
  const { decision } = incident;
  const same =
    decision !== null && decision.action === concluded.action && sameChanges(decision.changeIds, concluded.changeIds);
  // Without a model the same core reads the same evidence again: that it says the same is no second opinion.
  const agrees = same && result.model === null ? null : same;
  const steps = result.deterministic.steps.map(
    ({ step, outcome, calls }) => `${step} ${outcome} (${calls.length} calls)`,
  );
  return {
    decision: concluded,
    agrees,
    summary: `${concluded.action}${concluded.culprit === null ? "" : ` of ${concluded.culprit.changeId}`}: ${steps.join(", ")}`,
    body: {
      steps: result.deterministic.steps,
      answers: result.answers,
      model: result.model,
      settled: result.settled,
      losses: result.losses,
    },
    usage: result.usage,
  };
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
