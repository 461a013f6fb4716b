import fc from "fast-check";
import { killedAfter, MUTANTS } from "../test/mcp-tools/gate/promises/mutants.ts";
import { NOTHING_PLAYED, sequences } from "../test/mcp-tools/gate/promises/play.ts";

/**
 * Breaks each rule of the gate in turn, in each way, and runs the property of test/mcp-tools/gate/promises over it
 * until it fails. Prints how many sequences each took, and ends with 1 where one survived.
 *
 * node scripts/mutate-gate.ts [sequences=1000] [seed=1]
 */
const [most = 1000, seed = 1] = process.argv.slice(2).map(Number);

const played = { ...NOTHING_PLAYED };
const whole = await fc.check(sequences(played), { numRuns: Math.min(most, 200), seed });
if (whole.failed) throw new Error(`the property fails over the gate as it is, with seed ${seed}`);
console.log(`unbroken: ${JSON.stringify(played)}`);

const survivors: string[] = [];
for (const mutant of MUTANTS) {
  const after = await killedAfter(mutant, most, seed);
  const name = `${mutant.rule} ${mutant.how}`;
  if (after === null) survivors.push(name);
  console.log(`${name}: ${after === null ? `SURVIVED ${most} sequences` : `killed by sequence ${after}`}`);
}
console.log(`${MUTANTS.length - survivors.length} of ${MUTANTS.length} killed${survivors.map((one) => `; ${one}`)}`);
process.exitCode = survivors.length > 0 ? 1 : 0;
