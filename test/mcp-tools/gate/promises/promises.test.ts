import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY, MINUTE, NO_LIMITS } from "./catalog.ts";
import { killedAfter, MUTANTS } from "./mutants.ts";
import { NOTHING_PLAYED, openTrial, sequences } from "./play.ts";
import { doStep } from "./steps.ts";

/** The same ones each time; UNSHIP_SEQUENCES draws as many new ones. A failure prints the seed and the shortest sequence. */
const DRAWN = process.env.UNSHIP_SEQUENCES;
const RUN = DRAWN === undefined ? { numRuns: 60, seed: 1 } : { numRuns: Number(DRAWN) };

describe("S1–S9, S13: any sequence of plans, answers, time, faults, crashes, restarts and rivals", () => {
  it("ends at each step as a model says that was written from the promises alone", async () => {
    const played = { ...NOTHING_PLAYED };
    await fc.assert(sequences(played), RUN);
    if (DRAWN !== undefined) console.info(JSON.stringify(played));
    expect(played.executed, "a property that never executes anything proves nothing").toBeGreaterThan(0);
    expect(played.crashes).toBeGreaterThan(0);
  }, 3_600_000);

  it("S2: an act that was finished only a day after it was reserved starts a cooldown all the same", async () => {
    const plain = { do: "incident", things: ["checkout"], troubles: [], by: "watch", between: [], faults: [] } as const;
    await using trial = await openTrial({ ...NO_LIMITS, cooldownMs: 10 * MINUTE });
    await doStep(trial, { ...plain, crash: { step: 3, phase: "after" }, again: false });
    await trial.sleep(DAY);
    await doStep(trial, { do: "recover", restart: true });
    await doStep(trial, { ...plain, crash: null, again: false });
    expect([...trial.model.plans.values()].map(({ outcome }) => outcome)).toEqual(["stopped", null]);
  });

  it("the model knows nothing of the rules or the gate", () => {
    for (const file of ["model.ts", "verdict.ts", "records.ts", "catalog.ts"]) {
      const text = readFileSync(join(import.meta.dirname, file), "utf8");
      const imports = [...text.matchAll(/from "([^"]+)"/g)].map(([, from]) => from);
      expect(imports.filter((from) => !/^\.\/(model|verdict|records|catalog)\.ts$/.test(from ?? ""))).toEqual([]);
    }
  });

  // All of them: node scripts/mutate-gate.ts. These few show that the property can still fail.
  it.each(MUTANTS.filter(({ rule, how }) => how === "deleted" && ["stale", "cooldown", "never-auto"].includes(rule)))(
    "fails where the rule $rule is $how",
    async (mutant) => {
      expect(await killedAfter(mutant, 300, 1)).not.toBeNull();
    },
  );
});
