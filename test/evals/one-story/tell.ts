import { contradictions } from "./facts.ts";
import { type Answers, replayed } from "./replayed.ts";
import { foundNow, saidByLines, saidOf } from "./said.ts";
import { surfacesAt } from "./surfaces.ts";

/** Replays one bundle and returns every contradiction between surfaces, each with its moment and incident. */
export async function contradictionsIn(directory: string, answers: Answers): Promise<Found> {
  const found: string[] = [];
  let moments = 0;
  let facts = 0;
  await replayed(directory, answers, async (stopped) => {
    moments += 1;
    const all = await surfacesAt(stopped);
    for (const one of stopped.incidents) {
      for (const said of [saidOf(one, stopped, all), foundNow(one, stopped, all)]) {
        facts += said.length;
        for (const text of contradictions(said)) found.push(`${stopped.when}; ${one.id}: ${text}`);
      }
    }
    for (const [event, said] of saidByLines(stopped))
      for (const text of contradictions(said)) found.push(`${stopped.when}; ${event}: ${text}`);
  });
  return { moments, facts, found };
}

export interface Found {
  readonly moments: number;
  readonly facts: number;
  readonly found: readonly string[];
}

export const WAYS: readonly Answers[] = ["nobody is asked", "approve", "reject"];

/** As a program: the folders of bundles to look at, each in all three ways of answering. */
if (import.meta.main) {
  for (const directory of process.argv.slice(2)) {
    for (const answers of WAYS) {
      const { moments, facts, found } = await contradictionsIn(directory, answers);
      process.stdout.write(
        `${directory}, ${answers}: ${moments} moments, ${facts} facts, ${found.length} contradictions\n`,
      );
      for (const one of found) process.stdout.write(`  ${one}\n`);
    }
  }
}
