import { judge } from "../replay/judge.ts";
import { quantile } from "../replay/score.ts";
import { MINUTE } from "../scenarios/world/model.ts";
import type { Case, Kind } from "./cases.ts";
import { type Composition, finestStep, type Member, type Neighbour, placed } from "./composition.ts";
import { type Difference, decisionsOf, decisionText, differences, episodesOf, newActs } from "./decisions.ts";
import { readRecorded } from "./recorded.ts";
import type { Composed } from "./replay-composition.ts";
import { answersOf } from "./worker-pool.ts";

/** The watch around the first onset: the second may come ten minutes later, and is watched for 25 more. */
const BEFORE_MS = 6 * MINUTE;
const AFTER_MS = 35 * MINUTE;

/** How decisions on some worlds went, alone or together. Seconds from true onset; medians over what was found. */
export interface Tally {
  readonly found: number;
  readonly decidedSeconds: number | null;
  readonly executedSeconds: number | null;
  readonly wrongActs: number;
}

export interface KindReport {
  readonly name: string;
  readonly cases: number;
  /** Worlds in which a change is to be found. */
  readonly incidents: number;
  readonly alone: Tally;
  readonly together: Tally;
  readonly differences: readonly (Difference & { readonly case: string; readonly world: string })[];
  /** Wrong acts beside others that were not made alone, a line each. */
  readonly wrong: readonly string[];
  /** Where the law does not hold: every difference, or where what is beside may ask, every act that it added. */
  readonly broken: readonly string[];
}

/** Replays every world of every kind alone and together, under the same clock, and compares the decisions. */
export async function compareKinds(
  kinds: readonly Kind[],
  onDone?: (done: number, all: number) => void,
): Promise<readonly KindReport[]> {
  const steps = new Map<string, number>();
  const stepOf = ({ judged, beside }: Case) => Math.min(...[...judged, ...beside].map((one) => memberStep(one, steps)));
  const planned = kinds.map(({ cases, ...kind }) => ({
    ...kind,
    cases: cases.map((one) => {
      const stepMs = stepOf(one);
      return {
        one,
        stepMs,
        alone: one.judged.map((world) => compositionOf([world], stepMs)),
        together: compositionOf([...one.judged, ...one.beside], stepMs, one.neighbours),
      };
    }),
  }));
  const all = planned.flatMap(({ cases }) => cases.flatMap(({ alone, together }) => [...alone, together]));
  // What is alone beside several others is replayed once.
  const different = [...new Map(all.map((composition) => [composition.id, composition])).values()];
  const replayed = await answersOf<Composition, Composed>("composition-worker", different, onDone);
  const answers = new Map(replayed.map((answer) => [answer.id, answer]));
  return planned.map((kind) => reportOf(kind, answers));
}

interface Planned {
  readonly one: Case;
  readonly stepMs: number;
  readonly alone: readonly Composition[];
  readonly together: Composition;
}

function reportOf(
  { name, cases, mayAsk }: Omit<Kind, "cases"> & { readonly cases: readonly Planned[] },
  answers: ReadonlyMap<string, Composed>,
): KindReport {
  const worlds = cases.flatMap(({ one, stepMs, alone, together }) =>
    one.judged.map((member, index) => {
      const recorded = placed(readRecorded(member.directory), member);
      const own = (composition: Composition | undefined) =>
        episodesOf(answers.get(composition?.id ?? "")?.episodes ?? [], member.tag);
      const [before, after] = [own(alone[index]), own(together)];
      return {
        case: one.name,
        world: recorded.bundle.incident.id,
        faulty: recorded.truth?.faulty === true,
        alone: judged(recorded.truth, before),
        together: judged(recorded.truth, after),
        differences: differences(before, after, stepMs),
        newActs: newActs(before, after),
      };
    }),
  );
  const onOthers = cases.flatMap(({ one, together }) =>
    one.beside.flatMap(({ tag }) =>
      decisionsOf(episodesOf(answers.get(together.id)?.episodes ?? [], tag))
        .filter(({ action }) => action !== "hotfix_recommendation")
        .map((episode) => `${one.name}: ${decisionText(episode)}, where nothing is wrong`),
    ),
  );
  const incidents = worlds.filter(({ faulty }) => faulty);
  const wrong = worlds.flatMap(({ alone, together, case: name }) =>
    together.falseActions > alone.falseActions ? [`${name}: ${together.because}`] : [],
  );
  return {
    name,
    cases: cases.length,
    incidents: incidents.length,
    alone: tally(worlds.map(({ alone }) => alone)),
    together: tally(
      worlds.map(({ together }) => together),
      onOthers.length,
    ),
    differences: worlds.flatMap(({ differences: found, case: name, world }) =>
      found.map((difference) => ({ ...difference, case: name, world })),
    ),
    wrong: [...wrong, ...onOthers],
    broken:
      mayAsk === true
        ? worlds.flatMap(({ newActs: acts, case: name }) => acts.map((act) => `${name}: ${act}`))
        : worlds.flatMap(({ differences: found, case: name }) => found.map(({ kind }) => `${name}: ${kind}`)),
  };
}

type Judgement = ReturnType<typeof judge>;

const judged = (truth: Parameters<typeof judge>[0]["truth"] | null, episodes: Composed["episodes"]): Judgement =>
  judge({ id: "", truth: truth ?? NOTHING_WRONG, episodes });

const NOTHING_WRONG = {
  faulty: false,
  action: "no_action",
  acceptable: ["no_action"],
  culprit: null,
  targets: [],
  onset: null,
};

function tally(judgements: readonly Judgement[], more = 0): Tally {
  const median = (of: (one: Judgement) => number | null) =>
    quantile(
      judgements
        .map(of)
        .filter((seconds) => seconds !== null)
        .sort((a, b) => a - b),
      0.5,
    );
  return {
    found: judgements.filter(({ found }) => found !== null).length,
    decidedSeconds: median(({ decisionSeconds }) => decisionSeconds),
    executedSeconds: median(({ executionSeconds }) => executionSeconds),
    wrongActs: judgements.reduce((sum, { falseActions }) => sum + falseActions, more),
  };
}

function compositionOf(members: readonly Member[], stepMs: number, neighbours: readonly Neighbour[] = []): Composition {
  const id = JSON.stringify([members, stepMs, neighbours]);
  return { id, members, neighbours, beforeMs: BEFORE_MS, afterMs: AFTER_MS, stepMs };
}

function memberStep({ directory, only }: Member, known: Map<string, number>): number {
  if (only === "changes") return Number.POSITIVE_INFINITY;
  const step = known.get(directory) ?? finestStep([readRecorded(directory).bundle]);
  known.set(directory, step);
  return step;
}
