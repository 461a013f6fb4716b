import type { GateAnswer, Plan } from "../../core/model/plan.ts";
import type { Clock } from "../../core/ports.ts";
import { inProgress } from "./reserve.ts";

/**
 * The answer of a plan that is being carried out; or, as soon as it has to wait for a target to come into effect, that it
 * is in progress: it goes on in the background, and whoever asked may look after other things and ask again. If it fails
 * there, its intents stay open in the ledger and recovery takes them up.
 */
export async function untilItWaits(
  plan: Plan,
  clock: Clock,
  carryOut: (onWait: () => void) => Promise<GateAnswer>,
): Promise<GateAnswer> {
  const since = clock.now();
  const { promise: waits, resolve: onWait } = Promise.withResolvers<void>();
  const work = carryOut(onWait);
  const waiting = waits.then(() => {
    work.catch(() => {});
    return inProgress(plan, since, clock.now());
  });
  return Promise.race([work, waiting]);
}
