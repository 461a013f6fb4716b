import { createDraw } from "../scenarios/draw.ts";
import { MINUTE, SECOND } from "../scenarios/world/model.ts";
import { type ApartCase, type ApartPlot, type ApartWorld, drawApart, toCase } from "./apart-world.ts";
import { badAboveExternal, UNSEEN, unseenCallee } from "./known-callees.ts";
import { badVersion, brokenMeanwhile, CAUSES, TELLS } from "./own-deploy.ts";
import { PLATFORMS, wideFailure } from "./wide-failure.ts";

/** What must not be undone, and beside each the same world in which a fresh deploy is the culprit. */
export const QUESTIONS = ["one service", "one service with known callees", "one hundred services"] as const;
export type Question = (typeof QUESTIONS)[number];

export interface DrawnCase {
  readonly question: Question;
  /** Whether a fresh deploy is the culprit. */
  readonly guilty: boolean;
  readonly seed: number;
  readonly index: number;
}

/** A harm that shows too little for anybody to act on is drawn anew so often. */
const TRIES = 12;

/**
 * One case, by question, seed and number: the same give the same files, byte for byte. A guilty one whose harm would not
 * show, or is too small to last, is drawn anew.
 */
export function drawnCase({ question, guilty, seed, index }: DrawnCase): ApartCase {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const draw = createDraw(`what must not be undone/${question}/${seed}/${index}/${attempt}`);
    const world =
      question === "one hundred services"
        ? drawApart(draw, 100, 20)
        : drawApart(draw, draw.integer(question === "one service" ? 1 : 2, 8), 30);
    const drawn = toCase(world, plotOf(world, question, guilty, index));
    if (drawn.truth.faulty === guilty) return drawn;
  }
  throw new Error(`${question}, seed ${seed}, case ${index}: no world fits`);
}

function plotOf(world: ApartWorld, question: Question, guilty: boolean, index: number): ApartPlot {
  const draw = world.draw.stream("plot");
  const busy = world.system.services.filter(({ expectedRate }) => expectedRate >= 3);
  const service = draw.pick(busy.length === 0 ? world.system.services : busy);
  const tell = TELLS[index % TELLS.length] ?? TELLS[0];
  if (question === "one service") {
    const at = world.moment - draw.uniform(10, 30) * SECOND;
    const cause = CAUSES[index % CAUSES.length] ?? CAUSES[0];
    return guilty ? badVersion(world, service, at, tell) : brokenMeanwhile(world, service, at, cause);
  }
  if (question === "one service with known callees")
    return guilty
      ? badAboveExternal(world, service, tell)
      : unseenCallee(world, service, UNSEEN[index % UNSEEN.length] ?? UNSEEN[0]);
  const others = draw.shuffle(world.system.services.filter(({ name }) => name !== service.name));
  if (!guilty) {
    const platform = PLATFORMS[index % PLATFORMS.length] ?? PLATFORMS[0];
    return wideFailure(world, platform, [service, ...others.slice(0, 9)]);
  }
  const bad = badVersion(world, service, world.moment, tell);
  const fresh = others
    .slice(0, 9)
    .map((one) => world.changes.make("deploy", one, world.moment - draw.uniform(-1, 10) * MINUTE));
  return { ...bad, name: `${bad.name}, one of ten fresh`, changes: [...bad.changes, ...fresh] };
}
