import type { SeedStep } from "../../core/model/assessment.ts";
import { NO_USAGE, type Reasoner, type StepTask, type StepTools } from "../chain/reasoner.ts";

/** Which tool holds the core's answer to a step, and how its result becomes the answer. */
interface Recipe {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Whether the tool takes what earlier steps answered. */
  readonly takesKnown: boolean;
  read(result: Result): unknown;
  /** Lists that came in pages, put together. */
  join?(first: Result, next: Result): Result;
}

type Result = Readonly<Record<string, unknown>>;

const RECIPES: Readonly<Record<SeedStep, Recipe>> = {
  identify_recent_deployments: {
    tool: "list_changes",
    args: { recent_only: true, limit: 100 },
    takesKnown: false,
    read: ({ recent }) => recent,
    join: (first, next) => ({ ...first, more: next.more, recent: joined(first.recent, next.recent, ["changeIds"]) }),
  },
  correlate_timing: {
    tool: "rank_candidates",
    args: { limit: 50 },
    takesKnown: true,
    read: ({ candidates, no_change: noChange, root_causes: rootCauses, threshold, reached }) => ({
      ranking: { candidates, ...(typeof noChange === "object" ? noChange : {}), rootCauses },
      threshold,
      reached,
    }),
    join: (first, next) => ({
      ...first,
      more: next.more,
      candidates: [...list(first.candidates), ...list(next.candidates)],
      root_causes: [...list(first.root_causes), ...list(next.root_causes)],
    }),
  },
  check_affected_services: {
    tool: "get_findings",
    args: { limit: 100 },
    takesKnown: true,
    read: ({ affected }) => affected,
    join: (first, next) => ({
      ...first,
      more: next.more,
      affected: joined(first.affected, next.affected, ["services"]),
    }),
  },
  check_dependency_graph: {
    tool: "get_dependencies",
    args: { limit: 1 },
    takesKnown: true,
    read: ({ coordinated }) => coordinated,
  },
  evaluate_business_impact: {
    tool: "assess_impact",
    args: { limit: 50 },
    takesKnown: true,
    read: ({ impact }) => ({ impact }),
    join: (first, next) => ({
      ...first,
      more: next.more,
      impact: joined(first.impact, next.impact, ["affectedServices", "routes"]),
    }),
  },
  recommend_action: {
    tool: "explain_decision",
    args: {},
    takesKnown: true,
    read: ({ decision }) => ({ decision }),
  },
};

/** Pages read for one answer; far more suspects than any window holds. */
const PAGES = 100;

/**
 * The reasoner without a model: it calls the tools that the core answers through, and takes their figures as they
 * are. Same evidence, same answers. The embedded default, and the measure for any model beside it.
 */
export const deterministic: Reasoner = {
  name: "deterministic",
  deterministic: true,
  async answer(task, tools) {
    const recipe = Object.hasOwn(RECIPES, task.step) ? RECIPES[task.step as SeedStep] : undefined;
    if (recipe === undefined) return { answer: null, why: "no deterministic answer", usage: NO_USAGE };
    const result = await ask(recipe, task, tools);
    if (typeof result === "string") return { answer: null, why: result, usage: NO_USAGE };
    return { answer: recipe.read(result), usage: NO_USAGE };
  },
};

async function ask(recipe: Recipe, task: StepTask, tools: StepTools): Promise<Result | string> {
  const args = recipe.takesKnown ? { ...recipe.args, known: task.known } : recipe.args;
  let whole: Result | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const cursor: unknown = whole?.more;
    const answer = await tools.call(recipe.tool, typeof cursor === "string" ? { ...args, cursor } : args);
    if (answer.isError || answer.structured === null) return answer.text;
    whole = whole === null ? answer.structured : (recipe.join?.(whole, answer.structured) ?? whole);
    if (recipe.join === undefined || typeof whole.more !== "string") return whole;
  }
  return `${recipe.tool} has more than ${PAGES} pages`;
}

const isObject = (value: unknown): value is Result => typeof value === "object" && value !== null;

/** One object of two pages: the first with these lists of both. */
function joined(first: unknown, next: unknown, lists: readonly string[]): unknown {
  if (!isObject(first) || !isObject(next)) return first;
  const both = lists.map((name) => [name, [...list(first[name]), ...list(next[name])]]);
  return { ...first, ...Object.fromEntries(both) };
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
