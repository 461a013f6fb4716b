import { setTimeout as delay } from "node:timers/promises";
import type { GateStore, Intent } from "../../core/guardrails/gate-store.ts";
import { targetText } from "../../core/guardrails/targets.ts";
import { durationText } from "../../core/model/time.ts";
import type { Arrival } from "../../core/ports.ts";
import { executorFor, problemText, within } from "./gather.ts";
import type { GateLimits, GateParts } from "./parts.ts";

export interface Arriving {
  readonly parts: Pick<GateParts, "executors" | "clock"> & { readonly store: GateStore };
  readonly limits: GateLimits;
  /** Called once, when it turns out that there is something to wait for. */
  readonly onWait: () => void;
}

/**
 * Waits until what earlier targets of a plan began has come into effect: whoever depends on a contract must have gone
 * back, in every pod, before the contract does. The answer is why the next target may not be started; undefined: it may.
 * Never writes to a target. While it waits it keeps the plan's open intents its own.
 */
export async function awaitArrival(intents: readonly Intent[], arriving: Arriving): Promise<string | undefined> {
  const { limits, onWait } = arriving;
  const earlier = intents.filter(({ result }) => result?.result === "done" || result?.result === "nothing-to-do");
  // Looks at a target that does not answer take longer than the pauses between them: both count.
  let since: number | null = null;
  for (const intent of earlier) {
    for (;;) {
      const { state, detail } = await look(intent, arriving);
      if (state === "arrived") break;
      const name = targetText(intent.target);
      if (state === "not-coming") return `${name} was rolled back and does not come up: ${detail}`;
      if (since !== null && performance.now() - since >= limits.arrivalTimeoutMs) {
        return `${name} was rolled back and has not come up within ${durationText(limits.arrivalTimeoutMs)}: ${detail}`;
      }
      if (since === null) onWait();
      since ??= performance.now();
      await delay(limits.arrivalPollMs);
      await renew(intent.planId, arriving);
    }
  }
  return undefined;
}

/** A target that cannot be asked may still come: it is waited for as long as any other. */
async function look({ target }: Intent, { parts, limits }: Arriving): Promise<Arrival> {
  const executor = executorFor(target, parts.executors);
  if (executor?.arrived === undefined) return { state: "arrived", detail: "" };
  const arrived = executor.arrived;
  try {
    return await within(limits.inspectTimeoutMs, (abort) => arrived(target, abort));
  } catch (error) {
    return { state: "coming", detail: `it could not be read (${problemText(error)})` };
  }
}

/** Tells other processes that this plan is being worked on. */
async function renew(planId: string, { parts, limits }: Arriving): Promise<void> {
  await parts.store.transact(async (tx) => {
    for (const { position } of await tx.intents({ planId, open: true })) {
      await tx.updateIntent(planId, position, { leaseUntil: tx.now + limits.leaseMs });
    }
  });
}
