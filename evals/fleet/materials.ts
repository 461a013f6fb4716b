import { basename, join } from "node:path";
import { findBundles, readBundle, readTruth } from "../replay/bundle.ts";
import { createDraw } from "../scenarios/draw.ts";
import { families, generateBundle, tell } from "../scenarios/generate.ts";
import { MINUTE } from "../scenarios/world/model.ts";
import { writeBundle } from "../scenarios/write.ts";

/** A recording that a composition may hold, and the moment of it that counts. */
export interface Material {
  readonly name: string;
  readonly directory: string;
  /** Its true onset, or when its disturbance begins. Unix ms. */
  readonly moment: number;
}

/** What compositions are made of: incidents that a change caused, and disturbances that none did. */
export interface Materials {
  readonly incidents: readonly Material[];
  readonly disturbances: readonly Material[];
}

const OWN_EXAMPLES = join(import.meta.dirname, "../data/incidents");
/** So much must have been recorded after the moment: less, and how a decision ends could not be seen. */
const RECORDED_AFTER_MS = 35 * MINUTE;
/** A recording in which nothing begins, as far as its truth says, counts from so long after its watch begins. */
const INTO_WATCH_MS = 10 * MINUTE;

/**
 * Incidents and disturbances of the project's own: its examples, then families in turn until there are as many as asked
 * for. Families are written into `directory`. `examples: false`: families alone. The same seed gives the same recordings.
 */
export function ownMaterials(
  directory: string,
  seed: number,
  wanted: { readonly incidents: number; readonly disturbances: number; readonly examples?: boolean },
): Materials {
  const examples = foldersAsMaterials(wanted.examples === false ? [] : [OWN_EXAMPLES]);
  return {
    incidents: [
      ...examples.incidents,
      ...drawn(directory, `${seed}/incidents`, wanted.incidents - examples.incidents.length, true),
    ].slice(0, wanted.incidents),
    disturbances: drawn(directory, `${seed}/disturbances`, wanted.disturbances, false),
  };
}

/**
 * Folders of bundles as materials: whatever their truths call faulty, and as disturbances those of which people may be
 * told. What is calm, or has no truth, is left out.
 */
export function foldersAsMaterials(folders: readonly string[]): Materials {
  const all = findBundles(folders).flatMap((directory) => {
    const truth = readTruth(directory);
    if (truth === null) return [];
    const { watch } = readBundle(directory).incident;
    const moment = truth.onset ?? watch.start + INTO_WATCH_MS;
    const disturbed =
      truth.acceptable.includes("hotfix_recommendation") || /blip|surge|outage/.test(String(truth.family));
    if (!truth.faulty && !disturbed) return [];
    return [{ faulty: truth.faulty, material: { name: basename(directory), directory, moment } }];
  });
  const those = (faulty: boolean) => all.filter((one) => one.faulty === faulty).map(({ material }) => material);
  return { incidents: those(true), disturbances: those(false) };
}

/** So often a seed is drawn anew for one that is wanted. */
const TRIES = 20;

function drawn(directory: string, seed: string, count: number, faulty: boolean): readonly Material[] {
  const draw = createDraw(`materials/${seed}`);
  const names = draw.shuffle(families("all"));
  const found: Material[] = [];
  for (let index = 0; found.length < count && index < count * TRIES; index++) {
    const family = names[index % names.length] ?? "";
    const own = draw.integer(0, 2 ** 31 - 1);
    const moment = momentOf(family, own, faulty);
    if (moment === null) continue;
    const name = `${family}-${own}`;
    const place = join(directory, name);
    writeBundle(place, generateBundle(family, own));
    found.push({ name, directory: place, moment });
  }
  return found;
}

/** When it begins in a story of the wanted kind that is recorded long enough; null for any other story. */
function momentOf(family: string, seed: number, faulty: boolean): number | null {
  const { scenario, truth } = tell(family, seed);
  if (truth.faulty !== faulty || (!faulty && !truth.disturbed)) return null;
  const { watchStart, watchEnd } = scenario.clock;
  const begun = scenario.faults.map(({ from }) => from).filter((from) => from >= watchStart && from < watchEnd);
  const moment = truth.onset ?? Math.min(...begun);
  return Number.isFinite(moment) && watchEnd - moment >= RECORDED_AFTER_MS ? moment : null;
}
