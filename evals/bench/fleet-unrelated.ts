import { type DrawnCase, QUESTIONS, type Question } from "../fleet/drawn-case.ts";
import type { DrawnOutcome } from "../fleet/drawn-outcome.ts";
import { answersOf } from "../fleet/worker-pool.ts";
import { createProgress } from "../lab/progress.ts";
import type { BenchOutcome, BenchRequest } from "./catalog.ts";
import { clopperPearson } from "./intervals.ts";

const CASES = 500;
/** So many of the cases that went wrong are listed for each row. */
const LISTED = 40;

/** The cases of one kind: what was done, and what it cost people. */
interface Row {
  readonly name: string;
  readonly cases: number;
  readonly rightActs: number;
  readonly falseActs: number;
  readonly questions: number;
  readonly incidents: number;
  readonly pages: number;
  /** Pages before what the cases are about had begun. */
  readonly earlierPages: number;
  /** Cases with more than one page, earlier ones left out. */
  readonly moreThanOnePage: number;
}

export interface UnrelatedReport {
  readonly benchmark: "fleet-unrelated";
  readonly seed: number;
  readonly cases: number;
  readonly rows: readonly (Row & { readonly question: Question; readonly guilty: boolean })[];
  readonly falseActs: readonly string[];
  readonly met: boolean;
}

/**
 * What must not be undone: `trials` drawn cases (default 500) of each question in which a fresh deploy is innocent, beside
 * as many in which it is the culprit.
 */
export async function benchUnrelated({ seed, trials = CASES }: BenchRequest): Promise<BenchOutcome> {
  const progress = createProgress({
    write: (text) => process.stderr.write(text),
    isTty: process.stderr.isTTY === true,
    now: () => performance.now(),
  });
  const tasks = QUESTIONS.flatMap((question) =>
    [false, true].flatMap((guilty) =>
      Array.from({ length: trials }, (_, index): DrawnCase => ({ question, guilty, seed, index })),
    ),
  );
  const outcomes = await answersOf<DrawnCase, DrawnOutcome>("drawn-worker", tasks, progress.step);
  progress.end();
  const rows = [...Map.groupBy(outcomes, ({ task, name }) => `${task.question}/${task.guilty}/${name}`).values()].map(
    (same) => ({
      question: first(same).task.question,
      guilty: first(same).task.guilty,
      ...rowOf(first(same).name, same),
    }),
  );
  const wrong = outcomes.filter(({ did }) => did === "false act");
  const tooManyPages = outcomes.some(({ task, pages }) => !task.guilty && pages > 1);
  const report: UnrelatedReport = {
    benchmark: "fleet-unrelated",
    seed,
    cases: trials,
    rows,
    falseActs: wrong.map(lineOf),
    met: wrong.length === 0 && !tooManyPages,
  };
  return { lines: linesOf(report, outcomes), value: report, met: report.met };
}

function first(outcomes: readonly DrawnOutcome[]): DrawnOutcome {
  const [one] = outcomes;
  if (one === undefined) throw new RangeError("a group has members");
  return one;
}

function rowOf(name: string, outcomes: readonly DrawnOutcome[]): Row {
  const count = (did: DrawnOutcome["did"]) => outcomes.filter((one) => one.did === did).length;
  const sum = (of: (one: DrawnOutcome) => number) => outcomes.reduce((total, one) => total + of(one), 0);
  return {
    name,
    cases: outcomes.length,
    rightActs: count("right act"),
    falseActs: count("false act"),
    questions: count("question"),
    incidents: sum(({ incidents }) => incidents),
    pages: sum(({ pages }) => pages),
    earlierPages: sum(({ earlierPages }) => earlierPages),
    moreThanOnePage: outcomes.filter(({ pages }) => pages > 1).length,
  };
}

const lineOf = ({ task, name, decision }: DrawnOutcome): string =>
  `${task.question}, ${task.guilty ? "culprit" : "unrelated"} ${task.index}, ${name}: ${decision}`;

function linesOf({ seed, cases, rows, met }: UnrelatedReport, outcomes: readonly DrawnOutcome[]): readonly string[] {
  const title = `${"".padEnd(74)}cases  right acts  false acts  questions  incidents a case  pages a case  over one page  earlier pages a case`;
  const shown = QUESTIONS.flatMap((question) =>
    [false, true].flatMap((guilty) => {
      const same = outcomes.filter(({ task }) => task.question === question && task.guilty === guilty);
      const head = `${question}, a fresh deploy is ${guilty ? "the culprit" : "unrelated"}`;
      const own = rows.filter((one) => one.question === question && one.guilty === guilty);
      return [rowText(rowOf(head, same)), ...own.map((row) => rowText({ ...row, name: `  ${row.name}` }))];
    }),
  );
  const unrelated = outcomes.filter(({ task }) => !task.guilty);
  const falseActs = unrelated.filter(({ did }) => did === "false act").length;
  const { upper } = clopperPearson(falseActs, unrelated.length);
  const missed = outcomes.filter(({ task, did }) => task.guilty && did !== "right act");
  const wrong = outcomes.filter(({ did }) => did === "false act");
  return [
    `what must not be undone, and as many cases in which a fresh deploy is the culprit: ${cases} of each, seed ${seed}`,
    title,
    ...shown,
    `false acts where the deploy is unrelated: ${falseActs} of ${unrelated.length} (95 %: at most ${upper.toFixed(4)})`,
    `claimed: no false act, and at most one page where a deploy is unrelated: ${met ? "reached" : "not reached"}`,
    ...(wrong.length === 0 ? [] : ["", "false acts:", ...wrong.slice(0, LISTED).map((one) => `  ${lineOf(one)}`)]),
    ...(missed.length === 0 ? [] : ["", "not undone:", ...missed.slice(0, LISTED).map((one) => `  ${lineOf(one)}`)]),
  ];
}

const rowText = ({
  name,
  cases,
  rightActs,
  falseActs,
  questions,
  incidents,
  pages,
  moreThanOnePage,
  earlierPages,
}: Row): string =>
  [
    name.padEnd(74),
    String(cases).padEnd(7),
    String(rightActs).padEnd(12),
    String(falseActs).padEnd(12),
    String(questions).padEnd(11),
    (incidents / cases).toFixed(2).padEnd(18),
    (pages / cases).toFixed(2).padEnd(14),
    String(moreThanOnePage).padEnd(15),
    (earlierPages / cases).toFixed(2),
  ].join("");
