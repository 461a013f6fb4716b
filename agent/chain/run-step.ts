import { z } from "zod";
import type { ChainStep } from "../../core/config/config.ts";
import { SEED_STEPS, type SeedStep, type StepAnswers } from "../../core/model/assessment.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import { CustomAnswer, customClaims } from "./custom-step.ts";
import { ungrounded } from "./grounding.ts";
import { NO_USAGE, type Reasoner, type StepReply, type Usage } from "./reasoner.ts";
import type { StepRecord } from "./result.ts";
import type { Claims, StepSpec } from "./step.ts";
import { stepTools } from "./step-tools.ts";
import { STEPS } from "./steps.ts";
import type { ToolClient, ToolSpec } from "./tool-client.ts";

export interface StepRun {
  readonly client: ToolClient;
  readonly specs: readonly ToolSpec[];
  readonly reasoner: Reasoner;
  readonly incidentId: string | undefined;
  readonly now: () => number;
  readonly abort: AbortSignal;
}

export interface StepEnd {
  readonly record: StepRecord;
  /** Checked and grounded; undefined where the step left none. */
  readonly answer: unknown;
}

/** A model that needs more calls than this for one step is looping. The deterministic reasoner only turns pages. */
const MODEL_CALLS = 24;

/** The first answer, and one more after a refusal. */
const TRIES = 2;

export const isSeedStep = (step: string): step is SeedStep => SEED_STEPS.some((one) => one === step);

/**
 * Puts one step to a reasoner. The answer must fit the step's schema and its claims must be found in what the tools
 * said or in what the step was given; otherwise it is refused once, then dropped. Never throws for what the reasoner
 * does; a chain that was told to stop throws.
 */
export async function runStep(
  step: ChainStep,
  known: Readonly<Record<string, unknown>>,
  run: StepRun,
): Promise<StepEnd> {
  const startedAt = run.now();
  const spec = isSeedStep(step.step) ? specOf(step.step) : null;
  const lacks = lacking(spec, known);
  const mostCalls = run.reasoner.deterministic ? Number.POSITIVE_INFINITY : MODEL_CALLS;
  const tools = stepTools(run.client, run.specs, spec?.tools ?? null, run.incidentId, run.abort, mostCalls);
  let refused: readonly string[] = [];
  let usage: Usage = NO_USAGE;
  const end = (outcome: StepRecord["outcome"], because: string | null, answer?: unknown): StepEnd => {
    const { calls } = tools.transcript();
    const by = run.reasoner.name;
    const record = {
      step: step.step,
      by,
      outcome,
      because,
      lacks,
      refused,
      calls,
      usage,
      startedAt,
      endedAt: run.now(),
    };
    return { record, answer };
  };
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const { prompt } = step;
    const own = prompt === undefined ? {} : { prompt };
    const task = { step: step.step, action: step.action, ...own, spec, known, lacks, refused };
    let reply: StepReply;
    try {
      reply = await run.reasoner.answer(task, tools, run.abort);
    } catch (error) {
      run.abort.throwIfAborted();
      return end("failed", error instanceof Error ? cleanText(error.message, 300) : "it failed");
    }
    usage = sum(usage, reply.usage);
    if (reply.answer === null || reply.answer === undefined) return end("no-answer", reply.why ?? "it gave no answer");
    const checked = check(spec, reply.answer, [...tools.transcript().results, known]);
    if (checked.problems.length === 0) return end("answered", null, checked.answer);
    refused = [...refused, ...checked.problems];
  }
  return end("dropped", "its claims were not found in the tool results");
}

function specOf(step: SeedStep): StepSpec {
  const spec: unknown = STEPS[step];
  return spec as StepSpec; // each spec's schema and claims belong to the same step, which a union of them cannot say
}

function lacking(spec: StepSpec | null, known: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(spec?.needs ?? {})
    .filter(([step]) => known[step] === undefined)
    .map(([step, loss]) => `without ${step}: ${loss}`);
}

interface Checked {
  readonly answer: unknown;
  readonly problems: readonly string[];
}

function check(spec: StepSpec | null, answer: unknown, evidence: readonly unknown[]): Checked {
  if (spec === null) {
    return checkAgainst<CustomAnswer>(CustomAnswer, customClaims, answer, evidence);
  }
  return checkAgainst<NonNullable<StepAnswers[SeedStep]>>(spec.answer, (one) => spec.claims(one), answer, evidence);
}

function checkAgainst<T>(
  schema: z.ZodType<T>,
  claims: (answer: T) => Claims,
  answer: unknown,
  evidence: readonly unknown[],
): Checked {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return { answer: parsed.data, problems: ungrounded(claims(parsed.data), evidence) };
  return {
    answer,
    problems: z
      .prettifyError(parsed.error)
      .split("\n")
      .slice(0, 6)
      .map((line) => cleanText(line, 200)),
  };
}

const sum = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
});
