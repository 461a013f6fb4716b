import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clopperPearson } from "../bench/intervals.ts";
import { readTruth } from "../replay/bundle.ts";
import { replayAll } from "../replay/replay-pool.ts";
import { type Scores, score } from "../replay/score.ts";
import { type ChangeRcaCase, readChangeRca } from "./changerca-data.ts";
import { type Telling, writeChangeRcaBundle } from "./to-bundle.ts";

/** What the authors' own method reaches on the same cases: the defective change is first in 45 of 51. */
const PUBLISHED = 45 / 51;

const TELLINGS: readonly Telling[] = [
  { name: "staged, both versions measured", versions: true, rollouts: "staged" },
  { name: "staged, services as wholes", versions: false, rollouts: "staged" },
  { name: "first stage shown, both versions", versions: true, rollouts: "first stage" },
  { name: "first stage shown, as wholes", versions: false, rollouts: "first stage" },
];

export interface ChangeRcaResult {
  readonly cases: number;
  readonly published: number;
  readonly tellings: readonly { readonly name: string; readonly scores: Scores }[];
  readonly met: boolean;
}

/**
 * The cases of a clone of the ChangeRCA data set, each written as an incident bundle and replayed whole, as `unship replay`
 * does: nobody says that there is an incident, and "no change" is among the answers. `folder`: its `data` folder. Met where
 * the defective change is first as often as with the authors' method, whatever is told of it.
 */
export async function benchChangeRca(folder: string): Promise<ChangeRcaResult> {
  const cases = readChangeRca(folder);
  const tellings = [];
  for (const telling of TELLINGS) tellings.push({ name: telling.name, scores: await scoresOf(cases, telling) });
  const met = tellings.every(({ scores }) => (scores.culpritTop1 ?? 0) >= PUBLISHED);
  return { cases: cases.length, published: PUBLISHED, tellings, met };
}

async function scoresOf(cases: readonly ChangeRcaCase[], telling: Telling): Promise<Scores> {
  const directory = mkdtempSync(join(tmpdir(), "unship-changerca-"));
  try {
    for (const one of cases) writeChangeRcaBundle(join(directory, one.name), one, telling);
    const places = cases.map(({ name }) => join(directory, name));
    const replayed = await replayAll(places, { version: "bench" }, new AbortController().signal);
    return score(
      replayed.flatMap(({ directory: place, result }) => {
        const truth = readTruth(place);
        return truth === null ? [] : [{ id: result.id, truth, episodes: result.episodes }];
      }),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The result as lines to read. */
export function changeRcaLines({ cases, published, tellings, met }: ChangeRcaResult): readonly string[] {
  return [
    `ChangeRCA (Yu et al. 2024), ${cases} staged rollouts of several services at once, one defective: replayed unannounced.`,
    "",
    `${"".padEnd(34)}defective change first rolled back  false acts  Brier  onset to decision`,
    ...tellings.map(({ name, scores }) => row(name, scores)),
    "",
    `the authors' method, given the incident: first in ${published.toFixed(3)}: ${met ? "reached" : "not reached"}`,
    ...tellings.flatMap(({ name, scores }) => scores.wrong.map(({ id, because }) => `  ${name}, ${id}: ${because}`)),
  ];
}

function row(name: string, scores: Scores): string {
  const { faulty, culpritTop1, truePositives, falsePositives, brier, decisionDelaySeconds } = scores;
  const first = Math.round((culpritTop1 ?? 0) * faulty);
  const { rate, lower, upper } = clopperPearson(first, faulty);
  const share = `${rate.toFixed(3)} (${lower.toFixed(3)}–${upper.toFixed(3)})`;
  const seconds = decisionDelaySeconds === null ? "–" : `${decisionDelaySeconds.toFixed(0)} s`;
  return `${name.padEnd(34)}${share.padEnd(24)}${String(truePositives).padEnd(12)}${String(falsePositives).padEnd(12)}${(brier?.toFixed(3) ?? "–").padEnd(7)}${seconds}`;
}
