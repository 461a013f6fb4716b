import { setTimeout as delay } from "node:timers/promises";
import { channelText } from "../../core/config/channel-config.ts";
import type { Config } from "../../core/config/config.ts";
import type { OpenShelf } from "../../core/detection/sample-memory.ts";
import { UnshipError } from "../../core/errors.ts";
import type { GateStore } from "../../core/guardrails/gate-store.ts";
import type { Clock, Gate, Ledger, Patience } from "../../core/ports.ts";
import { serveChannel } from "../../mcp-tools/channel/server.ts";
import { type IdentityChecks, isPersonal } from "../../mcp-tools/gate/identity.ts";
import { type ApprovedDesk, createApprovedDesk } from "../watch/approved.ts";
import { HEALTH_LOOK_MS, noteHealthyChanges } from "../watch/healthy.ts";
import { openApprovals } from "./approvals.ts";
import { createGateEvidence, type GateEvidence } from "./gate-evidence.ts";
import type { LiveSystem } from "./live-system.ts";
import type { Channels } from "./notifier.ts";
import { createSampleFile, sampleFolder } from "./older-samples.ts";
import { composeGate } from "./own-gate.ts";
import { createPatience, evaluationLimits, gateLimits } from "./patience.ts";

export interface GateProcessParts {
  readonly version: string;
  readonly config: Config;
  readonly clock: Clock;
  /** Its own, opened with the credentials that can write. */
  readonly system: LiveSystem;
  readonly ledger: Ledger & GateStore;
  readonly channels: Channels;
  readonly identity: IdentityChecks;
  /** The channel's token, resolved. */
  readonly token: string;
  /** What people are told of the process itself, a line each. */
  readonly note: (text: string) => void;
}

/**
 * The gate as its own process, until told to stop. First it settles what an earlier one left open (S5); then it answers
 * the agent over the channel, and people at the listener. At each step of the watch it looks at what nobody else keeps,
 * takes up what is open, and reminds people; so a plan that has begun is finished though the agent is gone meanwhile.
 * Throws "input.invalid" where the file names no gate, or it cannot answer where the file says.
 */
export async function runGateProcess(parts: GateProcessParts, abort: AbortSignal): Promise<void> {
  const samples = createSampleFile(sampleFolder(parts.config, "gate"));
  const { gaps } = parts.system;
  const system = { ...parts.system, gaps: () => [...gaps(), ...samples.gaps()] };
  try {
    await runOver({ ...parts, system }, samples.openShelf, abort);
  } finally {
    samples.close();
  }
}

/** `openShelf`: where the older samples of many signals stand. */
async function runOver(parts: GateProcessParts, openShelf: OpenShelf, abort: AbortSignal): Promise<void> {
  const { config, clock, system, ledger, channels, identity, note } = parts;
  if (config.gate === undefined) {
    throw new UnshipError("input.invalid", { what: "gate", reason: "the file names none; see docs/separation.md" });
  }
  if (isPersonal(parts.token, config.approvers)) {
    const reason = "it is an approver's personal token, with which the agent could approve; make one of its own";
    throw new UnshipError("input.invalid", { what: "gate.token", reason });
  }
  const { sources, executors, gaps } = system;
  const { notifier } = channels;
  const startedAt = clock.now();
  const evidence = createGateEvidence({
    sources,
    config,
    clock,
    patience: createPatience(gateLimits(config.watch.stepMs)),
    openShelf,
  });
  const parties = { ledger, notifier, notifiesActs: true, identity };
  const gate = composeGate({ config, clock, sources, executors, gaps, evidence, ...parties });
  const patience = createPatience(evaluationLimits(config.watch.stepMs));
  // A target that hangs keeps nobody waiting who asks about another one: its intent stays open, and it busy, until it answers.
  // Each turn takes up what the one before it is not settling still.
  const approved = createApprovedDesk({
    ledger,
    gate,
    clock,
    stepMs: config.watch.stepMs,
    told: ({ id }, { outcome }) => note(`plan ${id}, which a person approved: ${outcome}`),
  });
  const settle = async () => {
    const turn = patience.begin();
    await turn.isThere({ source: "gate", what: "open intents" }, recover(gate, note));
    await turn.isThere({ source: "gate", what: "approved plans" }, carryOut(approved, note));
  };
  await system.observe(clock.now(), abort, patience);
  await settle();
  const channel = await serveChannel({
    at: config.gate.at,
    token: parts.token,
    gate,
    ledger,
    notifier,
    known: { services: Object.keys(config.services) },
    hello: {
      ...{ version: parts.version, mode: config.mode, actions: executors.map(({ action }) => action).toSorted() },
      obeys: { version: config.version ?? null, modeIsAsked: config.modeIsAsked === true, since: startedAt },
    },
    note,
  });
  try {
    const at = () => ({ isGateApart: true, isWatched: channel.watched() });
    const listener = await openApprovals({ config, gate, ledger, clock, identity, slack: channels.slack, note, at });
    try {
      note(`The gate answers at ${channelText(config.gate)}, in mode ${config.mode}`);
      await turn(settle, patience, evidence, parts, abort);
    } finally {
      await listener?.close();
    }
  } finally {
    await channel.close();
  }
}

async function turn(
  settle: () => Promise<void>,
  patience: Patience,
  evidence: GateEvidence,
  parts: GateProcessParts,
  abort: AbortSignal,
): Promise<void> {
  const { config, clock, system, note } = parts;
  let healthLookedAt = clock.now();
  while (!abort.aborted) {
    await delay(config.watch.stepMs, undefined, { signal: abort }).catch(() => undefined);
    if (abort.aborted) return;
    await system.observe(clock.now(), abort, patience);
    await settle();
    if (clock.now() - healthLookedAt < HEALTH_LOOK_MS) continue;
    healthLookedAt = clock.now();
    await noteHealth(parts, evidence).catch((error: unknown) => {
      if (!abort.aborted) note(`which changes proved healthy is not known: ${textOf(error)}`);
    });
  }
}

/** What counts rollbacks in a row is read by the gate itself: the agent's word for a healthy change is not enough. */
async function noteHealth({ config, system, ledger }: GateProcessParts, evidence: GateEvidence): Promise<void> {
  const caseFile = await evidence.gather();
  const seen = { ...caseFile, gaps: [...caseFile.gaps, ...system.gaps()] };
  await noteHealthyChanges({ ledger, config }, seen);
}

/** A store that is down for a moment does not end the gate: whatever is open stays open, and is taken up the next time. */
async function recover(gate: Gate, note: (text: string) => void): Promise<void> {
  try {
    for (const { planId, outcome } of await gate.recover()) note(`plan ${planId} was taken up again: ${outcome}`);
  } catch (error) {
    note(`what is open could not be taken up: ${textOf(error)}`);
  }
}

async function carryOut(approved: ApprovedDesk, note: (text: string) => void): Promise<void> {
  try {
    await approved.look();
  } catch (error) {
    note(`what was approved could not be carried out: ${textOf(error)}`);
  }
}

const textOf = (error: unknown): string => (error instanceof UnshipError ? error.message : "it failed");
