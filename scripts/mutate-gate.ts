import fc from "fast-check";
import { lineMutants } from "../test/core/guardrails/line-mutants.ts";
import { killedAfter, MUTANTS } from "../test/mcp-tools/gate/promises/mutants.ts";
import { NOTHING_PLAYED, sequences } from "../test/mcp-tools/gate/promises/play.ts";

/**
 * Breaks each rule of the gate in turn, in each way, and runs the property of test/mcp-tools/gate/promises over it
 * until it fails. Prints how many sequences each took, and ends with 1 where one survived. `lines`: changes single
 * operators in the rules' sources instead of whole rules.
 *
 * node scripts/mutate-gate.ts [sequences=1000] [seed=1] [lines]
 */
const [most = 1000, seed = 1] = process.argv.slice(2, 4).map(Number);
const lines = process.argv.includes("lines");

const played = { ...NOTHING_PLAYED };
const whole = await fc.check(sequences(played), { numRuns: Math.min(most, 200), seed });
if (whole.failed) throw new Error(`the property fails over the gate as it is, with seed ${seed}`);
console.log(`unbroken: ${JSON.stringify(played)}`);

const mutants = lines
  ? lineMutants().map((one) => ({ name: `${one.file}:${one.line}: ${one.change}`, break: () => one.break() }))
  : MUTANTS.map((one) => ({ name: `${one.rule} ${one.how}`, break: () => one.break() }));
const survivors: string[] = [];
for (const mutant of mutants) {
  const after = await killedAfter(mutant, most, seed);
  if (after === null) survivors.push(mutant.name);
  console.log(`${mutant.name}: ${after === null ? `SURVIVED ${most} sequences` : `killed by sequence ${after}`}`);
}
console.log([`${mutants.length - survivors.length} of ${mutants.length} killed`, ...survivors].join("\n  "));
process.exitCode = survivors.length > 0 ? 1 : 0;
