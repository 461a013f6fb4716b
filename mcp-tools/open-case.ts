import { servicesMeant } from "../core/assessment/episodes.ts";
import { type CaseFile, SEED_STEPS, type SeedStep, type StepAnswers } from "../core/model/assessment.ts";
import type { StepContext, ToolContext } from "./context.ts";
import { type AnswerFence, answerFence } from "./fence-answer.ts";

/** The evidence of a question, and the core's step over it. */
export interface Case {
  readonly file: CaseFile;
  /**
   * What this step answers. `given`: the checked answers of the steps before it; with it nothing is worked out, so
   * that a step which a chain left out stays out and the loss is said. Without it: what the configured steps before
   * it answer.
   */
  answer<S extends SeedStep>(step: S, given: StepAnswers | undefined): NonNullable<StepAnswers[S]>;
}

/** Opens the evidence: of one incident (its services, grown by what was hurt with them since), or of everything. */
export async function openCase(context: ToolContext, incidentId: string | undefined): Promise<Case> {
  const { config, steps, ledger } = context;
  const file = await context.caseFile(incidentId);
  const incident = incidentId === undefined ? null : await ledger.incident(incidentId);
  const focus: StepContext =
    incident === null ? {} : { services: servicesMeant(file, [incident.service, ...incident.affectedServices]) };
  const configured = new Set(config.chain.map(({ step }) => step));

  function before(upTo: SeedStep): StepAnswers {
    return remembered(file, steps, ["before", upTo, focus], () => {
      let known: StepAnswers = {};
      for (const step of SEED_STEPS.slice(0, SEED_STEPS.indexOf(upTo))) {
        if (configured.has(step)) known = Object.assign({}, known, { [step]: steps[step](file, config, known, focus) });
      }
      return known;
    });
  }

  function answer<S extends SeedStep>(step: S, given: StepAnswers | undefined): NonNullable<StepAnswers[S]> {
    const { fence, unfence } = fenceOf(file);
    const known = given === undefined ? before(step) : unfence(given);
    return remembered(file, steps[step], [known, focus], () => fence(steps[step](file, config, known, focus)));
  }

  return { file, answer };
}

const fences = new WeakMap<CaseFile, AnswerFence>();

function fenceOf(file: CaseFile): AnswerFence {
  const fence = fences.get(file) ?? answerFence(file);
  fences.set(file, fence);
  return fence;
}

type Computed = Map<string, unknown>;
/** What was worked out from a snapshot, kept as long as it: pages of one answer must not cost the answer each time. */
const computed = new WeakMap<CaseFile, Map<unknown, Computed>>();

function remembered<T>(file: CaseFile, by: unknown, from: unknown, compute: () => T): T {
  const ofFile = computed.get(file) ?? new Map<unknown, Computed>();
  computed.set(file, ofFile);
  const answers: Map<string, T> = (ofFile.get(by) as Map<string, T> | undefined) ?? new Map<string, T>();
  ofFile.set(by, answers);
  const key = JSON.stringify(from);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = compute();
  answers.set(key, answer);
  return answer;
}
