import { changeMaker, drawClock, innocentChanges, number } from "./background.ts";
import { createDraw, type Draw } from "./draw.ts";
import { FLEET } from "./families/fleet/index.ts";
import { HELD_OUT } from "./families/held-out/index.ts";
import { HELD_OUT_B } from "./families/held-out-b/index.ts";
import { FAMILIES } from "./families/index.ts";
import type { Family, Plot, Stage } from "./family.ts";
import { type BundleFiles, toFiles } from "./observe/bundle.ts";
import { scaled } from "./world/faults.ts";
import { drawIslands } from "./world/islands.ts";
import {
  type Clock,
  type Fault,
  type Gap,
  HOUR,
  type Kind,
  MINUTE,
  type PlannedChange,
  type Scenario,
  type SystemModel,
} from "./world/model.ts";
import { deriveTruth, incidentsApart, type Truth } from "./world/truth.ts";
import { type Visibility, visibilityOf } from "./world/visibility.ts";

/**
 * Families that were seen while the detectors were built, those of several troubles and many services at once (seen too), those of the
 * first and of the second set held out, or all of them.
 */
export const SETS = ["shown", "fleet", "held-out", "held-out-b", "all"] as const;
export type Which = (typeof SETS)[number];

/** Names of families, sorted. */
export function families(which: Which = "shown"): readonly string[] {
  return familiesOf(which)
    .map(({ name }) => name)
    .toSorted();
}

function familiesOf(which: Which): readonly Family[] {
  const sets = { shown: FAMILIES, fleet: FLEET, "held-out": HELD_OUT, "held-out-b": HELD_OUT_B };
  return which === "all" ? Object.values(sets).flat() : sets[which];
}

/** A story with its answer, before it is written down. */
export interface Told {
  readonly scenario: Scenario;
  readonly truth: Truth;
  readonly visibility: Visibility | null;
}

/**
 * One bundle of a family. The same family and seed give the same files, byte for byte.
 * Throws a RangeError for a family that does not exist.
 */
export function generateBundle(family: string, seed: number): BundleFiles {
  const draw = createDraw(`${family}/${seed}/observed`);
  return toFiles(tell(family, seed), draw, `case-${draw.stream("id").hex(8)}`);
}

/** How often a world is drawn anew when the story cannot be determined in it: too little traffic, a fallback that hides it all. */
const TRIES = 40;

/** The story of a family and seed: what happens, the right answer, and how well it can be seen. */
export function tell(name: string, seed: number): Told {
  const family = familiesOf("all").find((one) => one.name === name);
  if (family === undefined)
    throw new RangeError(`there is no family ${name}; there are ${families().join(", ")}, and those that are held out`);
  const complaints: string[] = [];
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const told = attemptAt(family, createDraw(`${name}/${seed}/${attempt}`));
    if (typeof told !== "string") return told;
    complaints.push(told);
  }
  throw new Error(`${name}, seed ${seed}: no world fits the story: ${[...new Set(complaints)].join("; ")}`);
}

/** Faults are made stronger by this factor, this many times, until they can be seen. */
const STRONGER = 1.35;
const RAISES = 10;
/** What is left of the watch once the evidence suffices, at least. */
const TIME_TO_ACT = 5 * MINUTE;

function attemptAt(family: Family, draw: Draw): Told | string {
  const drawn = stage(family, draw);
  const plot = fitting(() => family.plot(drawn));
  if (typeof plot === "string") return plot;
  const scenario = scenarioOf(family, drawn, plot, draw.stream("background"));
  const truth = fitting(() => deriveTruth(scenario));
  if (typeof truth === "string") return truth;
  if (!family.faulty)
    return truth.faulty
      ? "a story without a culprit turned out faulty"
      : { scenario: withHuman(scenario, truth, draw), truth, visibility: null };
  const makers = new Set(plot.faults.flatMap(({ because }) => because ?? []));
  const wanted = family.together === "all" ? makers.size : family.together === true ? 2 : 1;
  for (let raise = 0; raise <= RAISES; raise++) {
    const louder: Scenario = {
      ...scenario,
      faults: scenario.faults.map((fault) => (fault.main === true ? scaled(fault, STRONGER ** raise) : fault)),
    };
    const again = raise === 0 ? truth : fitting(() => deriveTruth(louder));
    if (typeof again === "string") return again;
    if (!again.faulty || again.onset === null) continue;
    if (again.guilty.length < wanted) return "fewer changes explain it";
    const visibility = visibilityOf(louder, again.guilty, again.onset);
    if (visibility.at === null || visibility.at > louder.clock.watchEnd - TIME_TO_ACT) continue;
    if (again.onset < louder.clock.watchStart) return "the story begins before the watch";
    const told =
      family.apart === true
        ? incidentsApart(louder, again)
        : family.together === "all"
          ? { ...again, culprits: again.guilty }
          : again;
    return { scenario: withHuman(louder, again, draw), truth: told, visibility };
  }
  return truth.faulty ? "too little evidence at any strength" : "a faulty story affects nobody";
}

/** What is made, or why this world does not fit. */
function fitting<T extends object>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

/** Requests a second from which on a service's own figures say something within minutes. */
const BUSY = 4;

function stage(family: Family, draw: Draw): Stage {
  const wishes = family.wishes ?? {};
  const system = drawIslands(draw.stream("system"), wishes, wishes.islands ?? 1);
  const clock = drawClock(draw.stream("clock"), wishes);
  const maker = changeMaker(draw.stream("changes"));
  const service = (name: string) => {
    const found = system.services.find((one) => one.name === name);
    if (found === undefined) throw new RangeError(`there is no service ${name}`);
    return found;
  };
  const plots = draw.stream("plot");
  return {
    draw: plots,
    system,
    clock,
    moment: clock.watchStart + plots.uniform(4, 12) * MINUTE,
    changes: maker,
    service,
    busy: (perSecond = BUSY) =>
      system.services.filter(
        ({ tier, expectedRate }) => tier !== "external" && tier !== "store" && expectedRate >= perSecond,
      ),
    callersOf: (name) => system.calls.filter(({ callee }) => callee === name).map(({ caller }) => service(caller)),
    calleesOf: (name) => system.calls.filter(({ caller }) => caller === name).map(({ callee }) => service(callee)),
    change: maker.make,
  };
}

/** A service that the plot changes gets no innocent change of its own within this time: nobody could tell them apart. */
const APART = 25 * MINUTE;
/** A service that breaks by itself had no change for this long: else nobody could tell it from an effect that came late. */
const APART_OUTSIDE = 3 * HOUR;
/** From this many services on that break at one moment, their number speaks against any one's change. */
const TOGETHER = 3;

function scenarioOf(
  family: Family,
  { system, clock, moment, changes: maker }: Stage,
  plot: Plot,
  draw: Draw,
): Scenario {
  const wishes = family.wishes ?? {};
  const evidence = {
    logs: draw.chance(0.85),
    spans: draw.chance(0.5),
    alerts: draw.chance(0.6),
    pods: draw.chance(0.5),
    coarseDays: draw.chance(0.3) ? draw.pick([3, 7, 14]) : 0,
    topology: draw.chance(0.95),
    ...wishes.evidence,
  };
  const plotted = new Set([...plot.changes.map(({ service }) => service), ...(plot.quiet ?? [])]);
  const hit = new Set(
    plot.faults
      .filter(({ because, loadFactor }) => because === null && loadFactor === undefined)
      .map(({ service }) => service),
  );
  const alone = hit.size < TOGETHER ? hit : new Set<string>();
  const isFree = (service: string, _: Kind, at: number) =>
    (plot.noChangesFrom === undefined || at < plot.noChangesFrom) &&
    (!plotted.has(service) || at < moment - (plot.quietFor ?? APART)) &&
    (!alone.has(service) || at < moment - APART_OUTSIDE);
  const from = clock.watchStart - Math.max(evidence.coarseDays * 24 * HOUR, clock.watchStart - clock.historyStart);
  const rate = draw.uniform(...(wishes.changesPerDay ?? [0.3, 2]));
  const usual = innocentChanges(draw.stream("usual"), maker, system, { from, to: clock.watchEnd }, rate, isFree);
  const crowd = crowdOf(
    draw.stream("crowd"),
    maker,
    system,
    moment,
    wishes.crowd ?? [0, 3],
    new Set([...plotted, ...alone]),
    plot,
  );
  const uninvolved = system.services.filter(
    ({ name, tier }) =>
      tier !== "external" && !plotted.has(name) && !plot.faults.some(({ service }) => service === name),
  );
  const all = apart([...plot.changes, ...crowd, ...usual], clock);
  return {
    family: family.name,
    why: plot.why,
    clock,
    system,
    changes: number(all, system),
    faults: [...plot.faults, ...pastTroubles(draw.stream("past"), system, clock, evidence.coarseDays)],
    unread: plot.unread ?? [],
    gaps: [...(plot.gaps ?? []), ...strayGaps(draw.stream("gaps"), uninvolved, clock)],
    lines: plot.lines ?? [],
    ...(plot.unmeasured === undefined ? {} : { unmeasured: plot.unmeasured }),
    lateStart: plot.lateStart ?? lateStarts(draw.stream("late"), uninvolved, clock),
    evidence,
    human: null,
  };
}

/** Scrapes fail now and then on any day. */
function strayGaps(draw: Draw, services: SystemModel["services"], { historyStart, watchEnd }: Clock): readonly Gap[] {
  if (services.length === 0 || !draw.chance(0.25)) return [];
  const from = draw.uniform(historyStart, watchEnd);
  return [{ service: draw.pick(services).name, metric: null, from, to: from + draw.uniform(0.5, 4) * MINUTE }];
}

/** Some service has been scraped only for part of the history. */
function lateStarts(draw: Draw, services: SystemModel["services"], clock: Clock): Scenario["lateStart"] {
  if (services.length === 0 || !draw.chance(0.15)) return [];
  const at = clock.historyStart + draw.uniform(0.2, 0.9) * (clock.watchStart - clock.historyStart);
  return [{ service: draw.pick(services).name, at }];
}

/** Troubles of past days, which the long-term history holds: whoever learns from it must not take them for normal. */
function pastTroubles(draw: Draw, system: SystemModel, clock: Clock, days: number): readonly Fault[] {
  if (days === 0) return [];
  const services = system.services.filter(({ tier }) => tier !== "external");
  return Array.from({ length: draw.poisson(days / 5) }, () => {
    const from = clock.watchStart - draw.uniform(0.5, days) * 24 * HOUR;
    const to = from + draw.uniform(8, 60) * MINUTE;
    const harm = draw.chance(0.6) ? { errors: draw.uniform(0.03, 0.4) } : { latencyFactor: draw.uniform(2, 6) };
    return { because: null, service: draw.pick(services).name, from, to, ...harm };
  });
}

/** Innocent changes of services that have nothing to do with the plot, shortly before and after its moment. */
function crowdOf(
  draw: Draw,
  maker: Stage["changes"],
  system: SystemModel,
  moment: number,
  [low, high]: readonly [number, number],
  plotted: ReadonlySet<string>,
  plot: Plot,
): readonly PlannedChange[] {
  const others = system.services.filter(
    ({ name, tier }) => tier !== "external" && tier !== "store" && !plotted.has(name),
  );
  return draw
    .shuffle(others)
    .slice(0, draw.integer(low, high))
    .map((service) =>
      maker.make(
        draw.chance(0.75) ? "deploy" : draw.pick(["config", "flag"]),
        service,
        moment + draw.uniform(-15, 8) * MINUTE,
      ),
    )
    .filter(({ startedAt }) => plot.noChangesFrom === undefined || startedAt < plot.noChangesFrom);
}

/** Of two deploys of one service that would overlap, the one named first stays. */
function apart(changes: readonly PlannedChange[], clock: Clock): readonly PlannedChange[] {
  const kept: PlannedChange[] = [];
  for (const change of changes) {
    const overlaps = kept.some(
      (other) =>
        change.kind === "deploy" &&
        other.kind === "deploy" &&
        other.service === change.service &&
        change.startedAt < (other.finishedAt ?? clock.watchEnd) + 5 * MINUTE &&
        other.startedAt < (change.finishedAt ?? clock.watchEnd) + 5 * MINUTE,
    );
    if (!overlaps) kept.push(change);
  }
  return kept;
}

/** What the team did, where the record says it: people take the right action in the end, well after it was possible. */
function withHuman(scenario: Scenario, truth: Truth, from: Draw): Scenario {
  const draw = from.stream("human");
  if (!draw.chance(0.35)) return scenario;
  const at = (truth.onset ?? scenario.clock.watchStart) + Math.round(draw.uniform(12, 70)) * MINUTE;
  if (truth.culprit === null)
    return truth.disturbed
      ? { ...scenario, human: { action: "no_action", note: "Watched until it passed." } }
      : scenario;
  return {
    ...scenario,
    human: {
      action: truth.action,
      change_id: truth.culprit,
      at,
      note: draw.pick([
        "Paged by the error budget alert.",
        "Reported by support.",
        "Found by the author of the change.",
      ]),
    },
  };
}
