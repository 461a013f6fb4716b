import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDraw } from "../scenarios/draw.ts";
import { families, generateBundle, type Which } from "../scenarios/generate.ts";
import type { BundleFiles } from "../scenarios/observe/bundle.ts";
import { atStep, sparse, withoutLogs, withoutVersionSplit } from "../scenarios/variants.ts";
import { writeBundle } from "../scenarios/write.ts";
import type { BenchOutcome } from "./catalog.ts";
import { type Compared, compare, INTERVALS, reached, rowsOf, TARGET, TITLE } from "./decision-table.ts";

/** The same bundles, and what is often missing. */
const VARIANTS: readonly (readonly [string, (files: BundleFiles) => BundleFiles])[] = [
  ["as recorded", (files) => files],
  ["without logs", withoutLogs],
  ["without version split", withoutVersionSplit],
  ["60 s samples", (files) => atStep(files, 60)],
  ["60 s, short, no rates", sparse],
];

/** Without logs the culprit must still be first this often. */
const TARGET_WITHOUT_LOGS = 0.9;

export interface DecisionsReport {
  readonly benchmark: "decisions";
  readonly which: Which;
  readonly seed: number;
  readonly bundles: number;
  readonly families: number;
  readonly variants: readonly ({ readonly name: string } & Compared)[];
  readonly met: boolean;
}

/**
 * Decisions over generated incidents: `count` bundles, families in turn, each replayed whole and with less evidence,
 * beside "a threshold, then blame the latest change" on the same bundles. Replays run on all cores.
 */
export async function measureDecisions(count: number, seed: number, which: Which): Promise<DecisionsReport> {
  const seeds = createDraw(`seeds/${seed}`);
  const names = families(which);
  const chosen = Array.from({ length: count }, (_, i) => ({
    family: names[i % names.length] ?? "",
    seed: seeds.integer(0, 2 ** 31 - 1),
  }));
  const variants = [];
  for (const [name, transform] of VARIANTS) variants.push({ name, ...(await measure(chosen, transform, seed)) });
  const [whole, withoutLogs_] = variants;
  const met =
    whole !== undefined && reached(whole.ours) && (withoutLogs_?.ours.culpritTop1 ?? 0) >= TARGET_WITHOUT_LOGS;
  return { benchmark: "decisions", which, seed, bundles: count, families: names.length, variants, met };
}

async function measure(
  chosen: readonly { readonly family: string; readonly seed: number }[],
  transform: (files: BundleFiles) => BundleFiles,
  seed: number,
): Promise<Compared> {
  const directory = mkdtempSync(join(tmpdir(), "unship-decisions-"));
  try {
    const places = chosen.map(({ family, seed }) => join(directory, `${family}-${seed}`));
    chosen.forEach(({ family, seed }, i) => {
      writeBundle(places[i] ?? "", transform(generateBundle(family, seed)));
    });
    return await compare(places, seed);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The benchmark as the catalog runs it; default: five bundles of each family. */
export async function benchDecisions(trials: number | undefined, seed: number, which: Which): Promise<BenchOutcome> {
  const value = await measureDecisions(trials ?? 5 * families(which).length, seed, which);
  return { lines: decisionLines(value), value, met: value.met };
}

export function decisionLines({
  bundles,
  families: kinds,
  which,
  seed,
  variants,
  met,
}: DecisionsReport): readonly string[] {
  const rows = variants.flatMap(({ name, ...compared }) => rowsOf(name, compared));
  const wrong = variants.flatMap(({ name, ours }) =>
    ours.wrong.map(({ id, because }) => `  ${name}, ${id}: ${because}`),
  );
  return [
    `${bundles} generated incidents of ${kinds} families (${which}), seed ${seed}; ${INTERVALS}`,
    "",
    TITLE,
    ...rows,
    "",
    `claimed: precision and recall ≥ ${TARGET.precision}, culprit first ≥ ${TARGET.culpritTop1} (without logs ≥ ${TARGET_WITHOUT_LOGS}), Brier ≤ ${TARGET.brier}, median ≤ ${TARGET.decisionDelaySeconds} s: ${met ? "reached" : "not reached"}`,
    ...(wrong.length === 0 ? [] : ["", "wrong:", ...wrong]),
  ];
}
