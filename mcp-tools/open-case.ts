import { servicesMeant } from "../core/assessment/partition.ts";
import type { Coverage } from "../core/decision/coverage.ts";
import { type CaseFile, SEED_STEPS, type SeedStep, type StepAnswers } from "../core/model/assessment.ts";
import type { AllFenced } from "../core/model/fenced.ts";
import { servicesOf } from "../core/model/recorded.ts";
import type { AnswerFence, SentenceFence } from "../core/model/sentence-fence.ts";
import type { StepContext, ToolContext } from "./context.ts";
import { coverageView } from "./coverage-view.ts";
import { answerFence } from "./fence-answer.ts";
import { onceFor } from "./once-for.ts";
import { isRecorded, type RecordedCase, type RecordedStep, recordedCase } from "./recorded-case.ts";
import { KeptResult } from "./result.ts";

/** The evidence of a question, and the core's step over it. */
export interface Case {
  readonly file: CaseFile;
  /** What its record says, where that answers (`recordedCase`): `answer` and `coverage` are of it; null: of the evidence. */
  readonly recorded: RecordedCase | null;
  /** Of which moment the answers are, Unix ms. */
  readonly at: number;
  /** A sentence of ours about this evidence, what it names and quotes from outside fenced. */
  readonly sentence: SentenceFence["sentence"];
  /** What answers about these services rest on; without them: about those of the incident, or all. */
  coverage(services?: readonly string[]): AllFenced<Coverage>;
  /**
   * What this step answers. `given`: the checked answers of the steps before it; with it nothing is worked out, so
   * that a step which a chain left out stays out and the loss is said. Without it: what the configured steps before
   * it answer.
   */
  answer<S extends SeedStep>(step: S, given: StepAnswers | undefined): AllFenced<NonNullable<StepAnswers[S]>>;
  /**
   * What `tool` answers to `input`, where nothing but both and this case goes into it: made once, and kept as long as
   * the evidence.
   */
  once<T extends Record<string, unknown>>(tool: string, input: unknown, make: () => T): KeptResult<T>;
}

/**
 * The case that a question for a step's answer is about: its record where that is what stands, unless the question brings the answers
 * of earlier steps; whoever does so asks what follows from them.
 */
export const openAsked = (
  context: ToolContext,
  { incident, known }: { readonly incident?: string | undefined; readonly known?: unknown },
): Promise<Case> => openCase(context, incident, known === undefined ? "or-record" : "evidence");

/**
 * Opens the evidence: of one incident (its services, grown by what was affected with them since), or of everything. `orRecord`: where
 * its record is what stands, what that says instead of what this evidence would.
 */
export async function openCase(
  context: ToolContext,
  incidentId: string | undefined,
  orRecord: "or-record" | "evidence" = "evidence",
): Promise<Case> {
  const { config, steps, ledger } = context;
  const file = await context.caseFile(incidentId);
  const incident = incidentId === undefined ? null : await ledger.incident(incidentId);
  const recorded = orRecord === "or-record" ? await recordedCase(incident, context) : null;
  const focus: StepContext =
    incident === null ? {} : { services: servicesMeant(file, servicesOf(incident), config.versionLabel) };
  const configured = new Set(config.chain.map(({ step }) => step));

  function before(upTo: SeedStep): StepAnswers {
    return onceFor([file, config, steps], `before ${upTo}`, focus, () => {
      let known: StepAnswers = {};
      for (const step of SEED_STEPS.slice(0, SEED_STEPS.indexOf(upTo))) {
        if (configured.has(step)) known = Object.assign({}, known, { [step]: steps[step](file, config, known, focus) });
      }
      return known;
    });
  }

  function answer<S extends SeedStep>(step: S, given: StepAnswers | undefined): AllFenced<NonNullable<StepAnswers[S]>> {
    if (recorded !== null && given === undefined && isRecorded(step)) return recordedAnswer(recorded, step);
    const { fence, unfence } = fenceOf(file);
    const known = given === undefined ? before(step) : unfence(given);
    return onceFor([file, config, steps], step, [given === undefined ? null : known, focus], () =>
      fence(steps[step](file, config, known, focus)),
    );
  }

  return {
    file,
    recorded,
    at: recorded?.at ?? file.at,
    sentence: fenceOf(file).sentence,
    coverage: (services = focus.services ?? []) =>
      recorded?.coverage ??
      onceFor([file, config], "coverage", services, () => fenceOf(file).fence(coverageView(file, config, services))),
    answer,
    once: (tool, input, make) =>
      onceFor([file, config, steps], tool, [input, focus, recorded], () => new KeptResult(make())),
  };
}

const recordedAnswer = <S extends SeedStep>({ answers }: RecordedCase, step: S & RecordedStep) =>
  answers[step] as AllFenced<NonNullable<StepAnswers[S]>>;

const fences = new WeakMap<CaseFile, AnswerFence>();

function fenceOf(file: CaseFile): AnswerFence {
  const fence = fences.get(file) ?? answerFence(file);
  fences.set(file, fence);
  return fence;
}
