import type { ChainStep, Config } from "../../core/config/config.ts";
import { SEED_STEPS, type StepAnswers } from "../../core/model/assessment.ts";
import { deterministic } from "../models/deterministic.ts";
import { compareAnswers } from "./compare.ts";
import { CustomAnswer } from "./custom-step.ts";
import type { Reasoner } from "./reasoner.ts";
import type { ChainResult, StepRecord, Track } from "./result.ts";
import { isSeedStep, runStep, type StepEnd, type StepRun } from "./run-step.ts";
import { settle } from "./settle.ts";
import { STEPS } from "./steps.ts";
import type { ToolClient } from "./tool-client.ts";

export interface ChainOptions {
  readonly tools: ToolClient;
  readonly config: Pick<Config, "chain" | "model">;
  /** The model beside the core; absent or deterministic: the core does the whole chain. */
  readonly reasoner?: Reasoner;
  readonly incidentId?: string;
  /** Unix ms, for the record alone. */
  readonly now: () => number;
  readonly abort?: AbortSignal;
  /** Ends the model's part alone: at a deadline the deterministic result stands (S12). */
  readonly modelAbort?: AbortSignal;
  /** Called when the core's part is done, before a model is asked: nothing that acts has to wait for a model (S12). */
  readonly onDeterministic?: (track: Track) => void;
}

/** `confidence_threshold` where the file names none: the seed's. */
const DEFAULT_THRESHOLD = 0.8;

/**
 * Runs every configured step through the tools of our own server: first the deterministic reasoner, then, beside it,
 * the model. Each step gets the checked answers of the earlier ones and nothing else from them. Throws only when told
 * to stop or when the tools cannot be reached at all.
 */
export async function runChain(options: ChainOptions): Promise<ChainResult> {
  const { tools: client, config, reasoner, incidentId, now } = options;
  const startedAt = now();
  const specs = await client.tools();
  const abort = options.abort ?? new AbortController().signal;
  const run = { client, specs, incidentId, now };
  const core = await track(config, { ...run, reasoner: deterministic, abort }, null);
  options.onDeterministic?.(core);
  const modelAbort = options.modelAbort === undefined ? abort : AbortSignal.any([abort, options.modelAbort]);
  const model =
    reasoner === undefined || reasoner.deterministic
      ? null
      : await track(config, { ...run, reasoner, abort: modelAbort }, core, abort);
  const steps = [...core.steps, ...(model?.steps ?? [])];
  const threshold = config.chain.find(({ step }) => step === "correlate_timing")?.confidenceThreshold;
  return {
    answers: core.answers,
    deterministic: core,
    model,
    comparison: model === null ? [] : compareAnswers(core.answers, model.answers),
    settled: settle(core.answers, model?.answers ?? null, {
      threshold: threshold ?? DEFAULT_THRESHOLD,
      mayHold: config.model?.mayHold ?? false,
    }),
    losses: losses(core.answers),
    usage: {
      inputTokens: total(steps, ({ usage }) => usage.inputTokens),
      outputTokens: total(steps, ({ usage }) => usage.outputTokens),
      toolCalls: total(steps, ({ calls }) => calls.filter((call) => !call.cached).length),
    },
    startedAt,
    elapsedMs: now() - startedAt,
  };
}

/**
 * One reasoner's way. Where a model leaves a step without an answer, the core's stands in for the steps after it; the
 * record says so by the step's outcome. A model that failed once is not asked again.
 */
async function track(
  config: Pick<Config, "chain">,
  run: StepRun,
  standIn: Track | null,
  outer: AbortSignal = run.abort,
): Promise<Track> {
  const records: StepRecord[] = [];
  let answers: StepAnswers = {};
  let custom: Readonly<Record<string, CustomAnswer>> = {};
  let failed = false;
  for (const step of config.chain) {
    outer.throwIfAborted();
    const late: boolean = failed || run.abort.aborted;
    const known = earlier(step, config.chain, { ...standIn?.answers, ...answers, ...custom });
    const end: StepEnd = late ? notAsked(step.step, run) : await attempt(step, known, run, outer);
    records.push(end.record);
    failed ||= end.record.outcome === "failed";
    if (end.answer === undefined) continue;
    if (isSeedStep(step.step)) answers = { ...answers, [step.step]: end.answer };
    else custom = { ...custom, [step.step]: CustomAnswer.parse(end.answer) };
  }
  return { by: run.reasoner.name, answers, custom, steps: records };
}

async function attempt(
  step: ChainStep,
  known: Readonly<Record<string, unknown>>,
  run: StepRun,
  outer: AbortSignal,
): Promise<StepEnd> {
  try {
    return await runStep(step, known, run);
  } catch (error) {
    outer.throwIfAborted();
    if (run.abort.aborted) return notAsked(step.step, run);
    throw error;
  }
}

/** A stand-in must not tell a step what comes after it. */
function earlier(
  { step }: ChainStep,
  chain: Config["chain"],
  known: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = chain.map((one) => one.step);
  const before = new Set(names.slice(0, names.indexOf(step)));
  return Object.fromEntries(Object.entries(known).filter(([name]) => before.has(name)));
}

function notAsked(step: string, { reasoner, now, abort }: StepRun): StepEnd {
  const because = abort.aborted ? "its time was up; the deterministic result is kept" : "it failed at an earlier step";
  const at = now();
  const usage = { inputTokens: 0, outputTokens: 0 };
  const record = {
    step,
    by: reasoner.name,
    outcome: "failed",
    because,
    lacks: [],
    refused: [],
    calls: [],
    usage,
  } as const;
  return { record: { ...record, startedAt: at, endedAt: at }, answer: undefined };
}

function losses(answers: StepAnswers): readonly string[] {
  return SEED_STEPS.filter((step) => answers[step] === undefined).flatMap((missing) =>
    SEED_STEPS.flatMap((step) => {
      const loss = STEPS[step].needs[missing];
      return loss === undefined || answers[step] === undefined ? [] : [`${step} without ${missing}: ${loss}`];
    }),
  );
}

const total = <T>(all: readonly T[], of: (one: T) => number) => all.reduce((sum, one) => sum + of(one), 0);
