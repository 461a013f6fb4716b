import fc from "fast-check";
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

/**
 * Sequences of `steps` under drawn limits; each holds where the gate and the model agree at every step. Adds up in
 * `played` what was done.
 */
export function sequences(played: Played): fc.IAsyncPropertyWithHooks<[Limits, Step[]]> {
  const steps = fc.array(step, STEPS);
  return fc.asyncProperty(limits, steps, async (limit, some) => {
    await using trial = await openTrial(limit);
    for (const one of some) await doStep(trial, one);
    await trial.end();
    played.sequences += 1;
    played.steps += some.length;
    played.submits += trial.submits;
    played.executed += trial.targets.writes.length;
    played.crashes += trial.crashes;
  });
}

/** A trial over a ledger of its own, in memory: SQLite without the waiting for a disk. */
export async function openTrial(limit: Limits): Promise<Trial> {
  const clock = { now: () => 0 };
  const store = await openSqliteLedger(":memory:", { clock: { now: () => clock.now() } });
  const trial = new Trial(store, limit);
  clock.now = () => trial.model.clock;
  await trial.sleep(0);
  return trial;
}

export const NOTHING_PLAYED: Readonly<Played> = { sequences: 0, steps: 0, submits: 0, executed: 0, crashes: 0 };
