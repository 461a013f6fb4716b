import fc from "fast-check";
import type { GateStore } from "../../../../core/guardrails/gate-store.ts";
import type { Clock, Ledger } from "../../../../core/ports.ts";
import { openSqliteLedger } from "../../../../knowledge/ledger/sqlite.ts";
import type { Limits } from "./catalog.ts";
import { doStep, limits, type Step, step } from "./steps.ts";
import { Trial } from "./trial.ts";

/** What was played, for the figures in docs/safety.md. */
export interface Played {
  sequences: number;
  steps: number;
  submits: number;
  executed: number;
  crashes: number;
}

/** Enough to fill the budgets of a day and to wait them out, and short enough to be read. */
const STEPS = { minLength: 4, maxLength: 14, size: "max" } as const;

/** Opens an empty ledger on this clock. */
export type OpenLedger = (clock: Clock) => Promise<Ledger & GateStore>;

/** SQLite without the waiting for a disk. */
const inMemory: OpenLedger = (clock) => openSqliteLedger(":memory:", { clock });

/**
 * Sequences of steps under drawn limits; each holds where the gate and the model agree at every step. Adds up in
 * `played` what was done. `open`: which store the gate works on.
 */
export function sequences(played: Played, open: OpenLedger = inMemory): fc.IAsyncPropertyWithHooks<[Limits, Step[]]> {
  return fc.asyncProperty(limits, fc.array(step, STEPS), async (limit, some) => {
    await using trial = await openTrial(limit, open);
    for (const one of some) await doStep(trial, one);
    await trial.end();
    played.sequences += 1;
    played.steps += some.length;
    played.submits += trial.submits;
    played.executed += trial.targets.writes.length;
    played.crashes += trial.crashes;
  });
}

/** A trial over a ledger of its own. */
export async function openTrial(limit: Limits, open: OpenLedger = inMemory): Promise<Trial> {
  const clock = { now: () => 0 };
  const store = await open({ now: () => clock.now() });
  const trial = new Trial(store, limit);
  clock.now = () => trial.model.clock;
  await trial.sleep(0);
  return trial;
}

export const NOTHING_PLAYED: Readonly<Played> = { sequences: 0, steps: 0, submits: 0, executed: 0, crashes: 0 };
