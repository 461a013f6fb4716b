import { assess } from "../../core/assessment/assessor.ts";
import type { Config } from "../../core/config/config.ts";
import type { OpenShelf } from "../../core/detection/sample-memory.ts";
import type { GateStore } from "../../core/guardrails/gate-store.ts";
import type { Gap } from "../../core/model/assessment.ts";
import type { Clock, Executor, Gate, Ledger, Notifier, Patience, Sources } from "../../core/ports.ts";
import { createGate } from "../../mcp-tools/gate/gate.ts";
import type { IdentityChecks } from "../../mcp-tools/gate/identity.ts";
import { createTraffic } from "../../mcp-tools/gate/traffic.ts";
import { attestationOf } from "./attestation.ts";
import { newPlanId } from "./chain.ts";
import { createGateEvidence, type GateEvidence } from "./gate-evidence.ts";
import { modelHolds, withHolds } from "./holds.ts";
import { pastOf } from "./past.ts";

export interface OwnGateParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly executors: readonly Executor[];
  /** What nobody could see, and what sources left out of their last answers; absent: nothing. */
  readonly gaps?: () => readonly Gap[];
  readonly ledger: Ledger & GateStore;
  readonly notifier: Notifier;
  /** How long a question of the gate waits for a source that is late; absent: until it answers. */
  readonly gatePatience?: Patience;
  /** Where the older samples that the gate reads stand; absent: in memory. */
  readonly openShelf?: OpenShelf;
  /** What it reads itself, where its process looks at more than plans; absent: its own is made. */
  readonly evidence?: GateEvidence;
  /** What proves who answers beside personal tokens; absent: nothing does. */
  readonly identity?: IdentityChecks;
  /** Whether people are notified of each act that was executed; absent: no, as in a replay. */
  readonly notifiesActs?: boolean;
  /** Ids of plans; a replay passes its own, so that the same bundle gives the same ledger. */
  readonly newId?: () => string;
}

/**
 * The gate over its own sources: for each question it reads what is new, with an assessor of its own (S1). What does not
 * come in time is unknown to that question, and the rules hold what follows from it (S9).
 */
export function composeGate({ config, clock, sources, ledger, ...parts }: OwnGateParts): Gate {
  const { gatePatience, openShelf } = parts;
  const evidence =
    parts.evidence ??
    createGateEvidence({
      sources,
      config,
      clock,
      ...(gatePatience === undefined ? {} : { patience: gatePatience }),
      ...(openShelf === undefined ? {} : { openShelf }),
    });
  return createGate({
    config,
    store: ledger,
    executors: parts.executors,
    assess: async (services) => {
      const past = await pastOf(ledger);
      const caseFile = await evidence.gather();
      const gaps = [...caseFile.gaps, ...(parts.gaps?.() ?? [])];
      const fresh = assess({ ...caseFile, gaps }, config, services, past);
      return withHolds(fresh, await modelHolds(ledger, config.model?.mayHold ?? false));
    },
    traffic: createTraffic(sources.metrics, clock, config.watch.stepMs),
    clock,
    notifier: parts.notifier,
    notifiesActs: parts.notifiesActs ?? false,
    ...(parts.identity === undefined ? {} : { identity: parts.identity }),
    ...attestationOf(config),
    newId: parts.newId ?? newPlanId,
  });
}
