import type { StepAnswers } from "../../core/model/assessment.ts";
import type { CustomAnswer } from "./custom-step.ts";
import type { Usage } from "./reasoner.ts";
import type { Settled } from "./settle.ts";
import type { ToolCallRecord } from "./tool-client.ts";

/** How one step ended for one reasoner. */
export interface StepRecord {
  readonly step: string;
  readonly by: string;
  /** `answered`: checked and grounded. The others leave no answer of this reasoner. */
  readonly outcome: "answered" | "no-answer" | "dropped" | "failed";
  readonly because: string | null;
  /** What the step lacked because an earlier one was missing. */
  readonly lacks: readonly string[];
  /** Why an answer was refused: once, and what was wrong with the second one where it was dropped. */
  readonly refused: readonly string[];
  readonly calls: readonly ToolCallRecord[];
  readonly usage: Usage;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** One reasoner's way through the chain. */
export interface Track {
  readonly by: string;
  readonly answers: StepAnswers;
  readonly custom: Readonly<Record<string, CustomAnswer>>;
  readonly steps: readonly StepRecord[];
}

/** Where two reasoners differ on a step; none: they agree. */
export interface Comparison {
  readonly step: string;
  readonly agree: boolean;
  readonly differences: readonly string[];
}

/** What a run of the chain leaves: for the incident, the ledger and the page. */
export interface ChainResult {
  /** The deterministic answers. They alone lead to an automatic action (S12). */
  readonly answers: StepAnswers;
  readonly deterministic: Track;
  /** null: no model is configured. */
  readonly model: Track | null;
  readonly comparison: readonly Comparison[];
  /** What follows from both under S12; null where the chain has no recommend_action. */
  readonly settled: Settled | null;
  /** Steps of the seed that the configuration leaves out or that have no answer, each with what is lost. */
  readonly losses: readonly string[];
  readonly usage: Usage & { readonly toolCalls: number };
  readonly startedAt: number;
  readonly elapsedMs: number;
}
