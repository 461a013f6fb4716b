import { setTimeout as sleep } from "node:timers/promises";
import { createAssessor } from "../../core/assessment/assessor.ts";
import type { AtWorkMode } from "../../core/config/at-work-mode.ts";
import type { Config } from "../../core/config/config.ts";
import type { GateStore } from "../../core/guardrails/gate-store.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import type { Clock, Gate, IncidentStore, Ledger, Notifier } from "../../core/ports.ts";
import type { Watching } from "../../mcp-tools/context.ts";
import { isPersonal } from "../../mcp-tools/gate/identity.ts";
import { type HttpOptions, serveHttp } from "../../mcp-tools/http.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { serveStdio } from "../../mcp-tools/stdio.ts";
import { accessTokens } from "./access-tokens.ts";
import { knownIncident, toolContext } from "./chain.ts";
import type { LiveSystem } from "./live-system.ts";
import { composeGate } from "./own-gate.ts";
import { createPatience, gateLimits } from "./patience.ts";
import { draftPostmortem } from "./postmortems.ts";
import { createSilences } from "./silences.ts";

/** The gate is this process' own, over a ledger of its own, or another process'. */
export type McpParts = ServedParts &
  ({ readonly ledger: Ledger & GateStore } | { readonly ledger: Ledger; readonly gate: Gate });

interface ServedParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  readonly system: LiveSystem;
  readonly store: IncidentStore | null;
  readonly notifier: Notifier;
  readonly readOnly: boolean;
  /** What may execute plans on the same ledger, and in which mode. */
  readonly atWork: () => Promise<readonly AtWorkMode[]>;
  /** Whether a watch runs on it, and since when. */
  readonly watching: () => Promise<Watching>;
  /** Over Streamable HTTP at this address instead of stdio. */
  readonly http?: Pick<HttpOptions, "host" | "port">;
  /** What people are told of the server itself, a line each; never on standard output. */
  readonly note: (text: string) => void;
}

/** Requests a minute of one caller, where the file says nothing: an assistant's burst of parallel calls fits. */
const REQUESTS_PER_MINUTE = 120;

/** Several tools are called in one breath; the same look at the system serves them all. */
const SNAPSHOT_MS = 5000;

/** Serves our tools on stdio until the client goes, or over HTTP until told to stop. The sources are observed at the watch's own step meanwhile. */
export async function serveMcp(parts: McpParts, abort: AbortSignal): Promise<void> {
  const { config, clock, system, ledger } = parts;
  const { sources } = system;
  const assessor = createAssessor({ sources, config });
  const gate =
    "gate" in parts
      ? parts.gate
      : composeGate({
          ...parts,
          sources,
          executors: system.executors,
          gaps: system.gaps,
          notifiesActs: true,
          gatePatience: createPatience(gateLimits(config.watch.stepMs)),
        });
  const silences = createSilences();
  let snapshot: { readonly at: number; readonly file: Promise<CaseFile> } | null = null;
  const look = async (): Promise<CaseFile> => {
    const now = clock.now();
    await system.observe(now, abort);
    const caseFile = await assessor.gather(now, abort);
    return { ...caseFile, gaps: silences([...caseFile.gaps, ...system.gaps()], now) };
  };
  const tools = toolContext(
    { ...parts, sources, gate },
    async (incidentId) => {
      if (incidentId !== undefined) await knownIncident(ledger, incidentId);
      if (snapshot === null || clock.now() - snapshot.at > SNAPSHOT_MS) snapshot = { at: clock.now(), file: look() };
      try {
        return await snapshot.file;
      } catch (error) {
        snapshot = null;
        throw error;
      }
    },
    "mcp",
  );
  const drafting = { config, ledger, store: parts.store, format: "md" } as const;
  const context = {
    ...tools,
    atWork: parts.atWork,
    watching: parts.watching,
    pause: (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }),
    draft: (incident: Incident) => draftPostmortem(incident, drafting),
  };
  const timer = setInterval(() => {
    void system.observe(clock.now(), abort);
  }, config.watch.stepMs);
  try {
    const open = (caller: { readonly readOnly: boolean }) =>
      createServer(context, {
        readOnly: parts.readOnly || caller.readOnly,
        onError: (tool, error) => parts.note(`${tool}: ${failureLine(error)}`),
      });
    if (parts.http === undefined) return await serveStdio(open({ readOnly: false }), abort);
    const { tokens = [], hosts = [], origins = [], requestsPerMinute = REQUESTS_PER_MINUTE } = config.server ?? {};
    const oauth = await accessTokens(config);
    const anybody = tokens.length === 0 && oauth === undefined;
    const ready = (url: string) => parts.note(`MCP at ${url}${anybody ? ", open to this machine" : ""}`);
    const who = {
      tokens,
      isPersonal: (token: string) => isPersonal(token, config.approvers),
      ...(oauth === undefined ? {} : { oauth }),
    };
    // Clients call it by the name that their tokens are for.
    const named = config.server?.oauth === undefined ? [] : [new URL(config.server.oauth.resource).hostname];
    const callers = { hosts: [...hosts, ...named], origins, requestsPerMinute };
    await serveHttp(open, { ...parts.http, ...who, ...callers }, ready, abort);
  } finally {
    clearInterval(timer);
  }
}

/** A failure and what caused it, on one line of the log, secrets replaced. */
function failureLine(error: unknown): string {
  const texts: string[] = [];
  for (let one = error; one instanceof Error && texts.length < 4; one = one.cause) texts.push(one.message);
  return cleanText(texts.join(", because ") || String(error), 500).replaceAll(/\s+/g, " ");
}
