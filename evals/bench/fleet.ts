import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { besideCalm, besideNeighbour, disturbed, type Kind, pairs, writeCalm } from "../fleet/cases.ts";
import { compareKinds, type KindReport, type Tally } from "../fleet/compare.ts";
import { foldersAsMaterials, type Materials, ownMaterials } from "../fleet/materials.ts";
import { createProgress } from "../lab/progress.ts";
import type { BenchOutcome, BenchRequest } from "./catalog.ts";

/** So many incidents are laid together where nobody says otherwise, and so many disturbances stand beside them. */
const INCIDENTS = 45;
const DISTURBANCES = 24;
const PAIRS = 500;
/** Of the healthy services without edges, the slowest rows, so many incidents stand beside. */
const WITHOUT_EDGES = 20;
export interface FleetReport {
  readonly benchmark: "fleet";
  readonly seed: number;
  readonly kinds: readonly KindReport[];
  readonly met: boolean;
}

/**
 * What is decided on worlds that nothing joins, alone and together. `trials` bounds the pairs, and with them the incidents
 * that they are drawn from and the cases of every other row.
 */
export async function benchFleet({ seed, trials, data }: BenchRequest): Promise<BenchOutcome> {
  const directory = mkdtempSync(join(tmpdir(), "unship-fleet-"));
  const progress = createProgress({
    write: (text) => process.stderr.write(text),
    isTty: process.stderr.isTTY === true,
    now: () => performance.now(),
  });
  try {
    const few = (most: number) => Math.min(most, trials ?? most);
    const wanted = { incidents: Math.max(2, few(INCIDENTS)), disturbances: few(DISTURBANCES) };
    const materials = materialsOf(directory, seed, data, wanted);
    const kinds = await compareKinds(kindsOf(directory, materials, seed, trials ?? PAIRS), progress.step);
    const met = kinds.every(({ broken, wrong }) => broken.length === 0 && wrong.length === 0);
    const report: FleetReport = { benchmark: "fleet", seed, kinds, met };
    return { lines: fleetLines(report), value: report, met };
  } finally {
    progress.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The folders that were named, and what the project generates itself beside them where they hold too little. */
function materialsOf(
  directory: string,
  seed: number,
  data: string | undefined,
  { incidents, disturbances }: { readonly incidents: number; readonly disturbances: number },
): Materials {
  if (data === undefined) return ownMaterials(directory, seed, { incidents, disturbances });
  const given = foldersAsMaterials(data.split(delimiter));
  const own = ownMaterials(directory, seed, {
    incidents: Math.max(0, incidents - given.incidents.length),
    disturbances: Math.max(0, disturbances - given.disturbances.length),
    examples: false,
  });
  return {
    incidents: [...given.incidents, ...own.incidents],
    disturbances: [...given.disturbances, ...own.disturbances],
  };
}

function kindsOf(directory: string, materials: Materials, seed: number, trials: number): readonly Kind[] {
  const count = Math.min(trials, materials.incidents.length);
  const few = Math.min(trials, WITHOUT_EDGES);
  const hundred = writeCalm(directory, seed, { systems: 4, each: 25, deploys: 10 });
  const forty = writeCalm(directory, seed, { systems: 2, each: 20, deploys: 10 });
  const noGraph = { own: { edges: false }, others: { edges: false } };
  return [
    pairs(materials, seed, trials),
    disturbed(materials, seed, count),
    besideCalm("beside 100 healthy measured services, 40 deploys, edges known", materials, hundred, count),
    besideCalm("beside 40 healthy measured services, 20 deploys, no edges known", materials, forty, few, noGraph),
    besideCalm("the same, the 40 services not measured", materials, forty, few, {
      ...noGraph,
      others: { edges: false, only: "changes" },
    }),
    besideCalm("beside 40 services not measured, 20 deploys, own edges known", materials, forty, few, {
      others: { edges: false, only: "changes" },
    }),
    besideNeighbour(materials, seed, few),
  ];
}

const seconds = (value: number | null): string => (value === null ? "–" : `${value.toFixed(0)} s`);

const tallyText = ({ found, decidedSeconds, executedSeconds, wrongActs }: Tally, incidents: number): string =>
  `${`${found}/${incidents}`.padEnd(10)}${seconds(decidedSeconds).padEnd(9)}${seconds(executedSeconds).padEnd(10)}${String(wrongActs).padEnd(7)}`;

function fleetLines({ seed, kinds, met }: FleetReport): readonly string[] {
  const rows = kinds.flatMap(({ name, cases, incidents, alone, together, differences }) => [
    `${name} (${cases} cases)`,
    `  ${"alone".padEnd(12)}${tallyText(alone, incidents)}`,
    `  ${"together".padEnd(12)}${tallyText(together, incidents)}${differences.length}`,
  ]);
  const listed = kinds.flatMap(({ name, differences, wrong }) => [
    ...differences.map(
      ({ case: of, world, kind, alone, together }) =>
        `  ${name}: ${of}: ${world}, ${kind}\n      alone    ${alone}\n      together ${together}`,
    ),
    ...wrong.map((line) => `  ${name}, wrong: ${line}`),
  ]);
  return [
    `decisions on worlds that nothing joins, alone and together under the same clock and limits that bind nothing, seed ${seed}`,
    `${"".padEnd(14)}found     decided  executed  wrong  different (medians from true onset, over what was found)`,
    ...rows,
    "",
    `claimed: no decision differs by more than one evaluation (beside an unmeasured neighbour: none becomes an act), and no wrong act is added: ${met ? "reached" : "not reached"}`,
    ...(listed.length === 0 ? [] : ["", "differences:", ...listed]),
  ];
}
