import { harmOf, harmSince, worstService } from "./harm.ts";
import { type Fault, type Grid, MINUTE, type PlannedChange, type Scenario, SECOND } from "./model.ts";
import { simulate } from "./simulate.ts";

/** What the right answer is, as the bundle's `truth.json` says it. Times are Unix ms. */
export interface Truth {
  readonly faulty: boolean;
  readonly action: "rollback" | "feature_flag_disable" | "hotfix_recommendation" | "no_action";
  readonly acceptable: readonly string[];
  readonly culprit: string | null;
  /** Every change that must be undone; of a hotfix, what it must speak of. */
  readonly targets: readonly string[];
  readonly onset: number | null;
  /** The guilty set once more, by its own name. */
  readonly guilty: readonly string[];
  /** Where each guilty change is an incident of its own: what is to be found of each. */
  readonly incidents?: readonly Part[];
  /** Where one change reached several services at once: each of them may be named as the culprit. */
  readonly culprits?: readonly string[];
  readonly approval: "person" | null;
  /** Whether anything was worse for a while, whatever made it. */
  readonly disturbed: boolean;
}

/** One of several incidents of one bundle. */
export interface Part {
  readonly culprit: string;
  readonly targets: readonly string[];
  readonly onset: number;
}

const CELL = 30 * SECOND;
/** Looks this far back for what still hurts in the watch. */
const LOOK_BACK = 60 * MINUTE;
/** Harm that lasts is judged over this last part of the watch: long enough for what comes and goes, and no blip reaches it. */
const LASTING = 1 / 3;
/** Undoing the right changes leaves at most this share of the harm that changes made. */
const LEFT = 0.1;
/** Up to so many changes are searched for the smallest guilty set; a larger one is every change that makes a fault, or none. */
const SEARCHED = 3;

/**
 * The right answer by experiment: the same world is run again without each set of changes, the smallest first. The
 * guilty are the smallest set without which the lasting harm is gone; harm that passes by itself, or stays whatever is
 * undone, calls for no rollback. A set that includes what cannot be undone calls for a fix by people.
 */
export function deriveTruth(scenario: Scenario): Truth {
  const grid = judgedGrid(scenario);
  const suspects = suspectsOf(scenario);
  const { watchStart, watchEnd } = scenario.clock;
  const first = grid.length - Math.floor(((watchEnd - watchStart) * LASTING) / CELL);
  const clean = simulate({ ...scenario, faults: [] }, grid, null, new Set(suspects.map(({ id }) => id)));
  const real = simulate(scenario, grid, null);
  const watchFrom = Math.floor((scenario.clock.watchStart - grid.start) / CELL);
  const disturbed =
    Math.max(...spans(watchFrom, grid.length).map(([from, to]) => worstService(real, clean, from, to).harm)) >= 0.5;
  const harmWithout = (undone: readonly string[]) =>
    harmSince(simulate(scenario, grid, null, new Set(undone)), clean, first);

  const all = suspects.map(({ id }) => id);
  const [now, unavoidable] = [harmSince(real, clean, first), harmWithout(all)];
  const made = now - unavoidable;
  if (suspects.length === 0 || made < 1) return innocent(disturbed);
  for (let size = 1; size <= Math.min(SEARCHED, all.length); size++) {
    const tried = subsets(suspects, size)
      .map((set) => ({ set, left: harmWithout(set.map(({ id }) => id)) - unavoidable }))
      .filter(({ left }) => left <= LEFT * made)
      .sort((a, b) => a.left - b.left);
    const best = tried[0]?.set;
    if (best !== undefined)
      return verdict(scenario, best, (id) => harmWithout(all.filter((other) => other !== id)), disturbed);
  }
  const makers = suspects.filter(({ id }) => scenario.faults.some(({ because }) => because === id));
  const each = makers.map(({ id }) => harmWithout(makers.filter((other) => other.id !== id).map((other) => other.id)));
  if (
    makers.length > SEARCHED &&
    harmWithout(makers.map(({ id }) => id)) - unavoidable <= LEFT * made &&
    each.every((harm) => harm - unavoidable > LEFT * (made / makers.length))
  )
    return verdict(scenario, makers, (id) => harmWithout(all.filter((other) => other !== id)), disturbed);
  throw new RangeError("no few changes explain the degradation, and not each of many does its part");
}

/** The truth of guilty changes that are incidents apart: each with its own onset, to be taken back by itself. */
export function incidentsApart(scenario: Scenario, truth: Truth): Truth {
  const own = truth.guilty.map((id) => ({
    culprit: id,
    targets: [id],
    onset: onsetOf(
      scenario,
      scenario.changes.filter((change) => change.id === id),
    ),
  }));
  return { ...truth, incidents: own.toSorted((a, b) => a.onset - b.onset) };
}

/** The span over which harm is judged, in cells that are short against any fault and long against none. */
function judgedGrid({ clock }: Scenario): Grid {
  const start = Math.max(clock.historyStart, clock.watchStart - LOOK_BACK);
  return { start, stepMs: CELL, length: Math.floor((clock.watchEnd - start) / CELL) + 1 };
}

/** Changes that make a fault, and those bound to them by `requires` in either direction: no other can matter. */
function suspectsOf({ changes, faults }: Scenario): readonly PlannedChange[] {
  const makers = new Set(faults.map(({ because }) => because));
  const named = new Set(
    changes.flatMap(({ requires }) =>
      Object.entries(requires ?? {}).map(([service, version]) => `${service}@${version}`),
    ),
  );
  return changes.filter(
    ({ id, service, to, requires }) =>
      makers.has(id) ||
      named.has(`${service}@${to}`) ||
      (requires !== undefined && changes.some((other) => requires[other.service] === other.to)),
  );
}

function verdict(
  scenario: Scenario,
  guilty: readonly PlannedChange[],
  harmAlone: (id: string) => number,
  disturbed: boolean,
): Truth {
  const makes = ({ id }: PlannedChange) => scenario.faults.some(({ because }) => because === id);
  const makers = guilty.filter(makes);
  const ranked = (makers.length > 0 ? makers : guilty).toSorted((a, b) => harmAlone(b.id) - harmAlone(a.id));
  const culprit = ranked[0];
  if (culprit === undefined) throw new Error("an empty set cannot be the culprit");
  const stuck = guilty.some(({ kind, reversible }) => kind === "migration" || !reversible);
  const action = stuck ? "hotfix_recommendation" : culprit.kind === "flag" ? "feature_flag_disable" : "rollback";
  const ids = guilty.map(({ id }) => id);
  const mixedKinds = !stuck && new Set(guilty.map(({ kind }) => kind === "flag")).size > 1;
  return {
    faulty: true,
    action,
    acceptable: mixedKinds ? ["rollback", "feature_flag_disable"] : [action],
    culprit: culprit.id,
    targets: ids,
    onset: onsetOf(scenario, guilty),
    guilty: ids,
    approval: stuck ? "person" : null,
    disturbed,
  };
}

function innocent(disturbed: boolean): Truth {
  return {
    faulty: false,
    action: "no_action",
    acceptable: disturbed ? ["no_action", "hotfix_recommendation"] : ["no_action"],
    culprit: null,
    targets: [],
    onset: null,
    guilty: [],
    approval: null,
    disturbed,
  };
}

/**
 * When the first effect of the guilty changes begins where it begins: a fault of a version, once that version serves. A
 * latent one begins when it first hurts anybody.
 */
export function onsetOf(scenario: Scenario, guilty: readonly PlannedChange[]): number {
  const { faults, changes } = scenario;
  const ids = new Set(guilty.map(({ id }) => id));
  const own = faults.filter(({ because }) => because !== null && ids.has(because));
  const begins = own.filter(({ latent }) => latent !== true).map((fault) => beginOf(fault, changes));
  if (own.length > begins.length) begins.push(firstHurt(scenario, ids));
  if (begins.length > 0) return Math.min(...begins);
  // No fault of its own: a version that serves beside a callee that is too old for it.
  return Math.min(...guilty.map((change) => serving(change)));
}

/** A quarter of a unit of harm is what a latent fault has to reach: less is inside what load does on any day. */
const HURTS = 0.25;

/** When a service is first worse for the guilty changes than without them; the end of the watch where none is. */
function firstHurt(scenario: Scenario, guilty: ReadonlySet<string>): number {
  const grid = judgedGrid(scenario);
  const [real, without] = [simulate(scenario, grid, null), simulate(scenario, grid, null, guilty)];
  for (let cell = 0; cell < grid.length; cell++)
    for (const [name, course] of real.courses) {
      const reference = without.courses.get(name);
      if (reference === undefined || course.service.tier === "external") continue;
      if (harmOf(course, reference, cell) >= HURTS) return Math.max(grid.start, grid.start + (cell - 1) * CELL);
    }
  return scenario.clock.watchEnd;
}

function beginOf(fault: Fault, changes: readonly PlannedChange[]): number {
  const change = changes.find(({ id }) => id === fault.because);
  return fault.withVersion === true && change !== undefined ? Math.max(fault.from, serving(change)) : fault.from;
}

function serving(change: PlannedChange): number {
  return change.shares.find(({ share }) => share > 0)?.at ?? change.startedAt;
}

function subsets<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}

/** Windows of two minutes, half overlapping: what is worse for less than that is not told apart from noise. */
function spans(first: number, length: number): readonly (readonly [number, number])[] {
  const width = (2 * MINUTE) / CELL;
  const starts: (readonly [number, number])[] = [];
  for (let from = first; from + width <= length; from += width / 2) starts.push([from, from + width]);
  return starts.length === 0 ? [[0, length]] : starts;
}
