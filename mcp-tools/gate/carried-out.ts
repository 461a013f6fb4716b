import { z } from "zod";
import { type Intent, LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { TargetResult } from "../../core/model/plan.ts";
import type { Clock, Ledger } from "../../core/ports.ts";
import type { Settlement } from "./settle.ts";

type CarriedOut = NonNullable<TargetResult["carriedOut"]>;

const Attempted = z.looseObject({ position: z.int() });

/**
 * A settlement with the time of the act itself, where it was found done only afterwards: what the target's own record says of
 * it, as far as that lies between the first try and now; else all of that time, since nobody saw when. The moment at which its
 * result became known says nothing of when it was done.
 */
export async function withMoment(
  settlement: Settlement,
  { planId, position }: Pick<Intent, "planId" | "position">,
  { store, clock }: { readonly store: Pick<Ledger, "entries">; readonly clock: Clock },
): Promise<Settlement> {
  if (settlement.kind !== "settled" || settlement.result.result !== "done") return settlement;
  const tries = await store.entries({ planId, kinds: [LEDGER_KINDS.targetAttempted] });
  const first = tries.find(({ body }) => Attempted.safeParse(body).data?.position === position);
  if (first === undefined) return settlement;
  const whole = { from: first.at, to: Math.max(first.at, clock.now()) };
  const { result } = settlement;
  return { kind: "settled", result: { ...result, carriedOut: within(whole, result.carriedOut) } };
}

/** What both say; a record that lies outside the time of the act is of another clock, and says nothing. Pure. */
function within(whole: CarriedOut, told: CarriedOut | undefined): CarriedOut {
  if (told === undefined || told.to < whole.from || told.from > whole.to) return whole;
  return { from: Math.max(whole.from, told.from), to: Math.min(whole.to, told.to) };
}
