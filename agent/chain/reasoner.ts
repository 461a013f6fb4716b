import type { StepSpec } from "./step.ts";
import type { ToolResult, ToolSpec } from "./tool-client.ts";

/** One step as it is put to a reasoner. */
export interface StepTask {
  readonly step: string;
  /** The configuration's words for it. */
  readonly action: string;
  /** What the configuration asks in a step of its own. */
  readonly prompt?: string;
  /** null: a custom step, which only the configuration describes. */
  readonly spec: StepSpec | null;
  /** The checked answers of earlier steps, by step name: all that a step gets from those before it. */
  readonly known: Readonly<Record<string, unknown>>;
  /** What is lost because an earlier step is missing, in sentences. */
  readonly lacks: readonly string[];
  /** Why the first answer to this step was refused; empty on the first try. */
  readonly refused: readonly string[];
}

/** The tools that fit a step: reading ones alone, whatever the server offers. */
export interface StepTools {
  readonly specs: readonly ToolSpec[];
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<ToolResult>;
}

export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0 };

/** `answer` null: the reasoner has none, and `why` says so. */
export interface StepReply {
  readonly answer: unknown;
  readonly why?: string;
  readonly usage: Usage;
}

/** Who answers the steps: the deterministic core, or a language model. May throw; the chain goes on without it. */
export interface Reasoner {
  readonly name: string;
  readonly deterministic: boolean;
  answer(task: StepTask, tools: StepTools, abort: AbortSignal): Promise<StepReply>;
}
