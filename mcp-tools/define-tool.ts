import type { z } from "zod";
import type { AllFenced, Fenced } from "../core/model/fenced.ts";
import type { ToolContext } from "./context.ts";
import { answerOf, KeptResult, type ToolAnswer } from "./result.ts";

/**
 * `read` looks; `propose` files a plan that nothing executes; `submit` asks the gate, which may then act.
 * There is no fourth. What MCP clients are told (`annotationsOf`) follows from this word alone.
 */
export type ToolEffect = "read" | "propose" | "submit";

/**
 * One tool as its file declares it. `reach`: whether a call may go out to vendors' systems, or stays with what we hold. What
 * `run` answers is read by models: a text in it that is not known to be fenced does not compile (S11).
 */
export interface ToolDefinition<I extends z.ZodObject, O extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly effect: ToolEffect;
  readonly reach: "sources" | "held";
  readonly description: string;
  readonly input: I;
  readonly output: O;
  /** The answer in words, for clients that show text alone; absent: they get it as JSON. Of what the answer holds, nothing else. */
  readonly text?: (answer: AllFenced<z.input<O>>) => Fenced;
  readonly run: (
    input: z.output<I>,
    context: ToolContext,
    abort: AbortSignal,
  ) => Promise<AllFenced<z.input<O>> | KeptResult<AllFenced<z.input<O>>>>;
}

/** A tool as the server holds it: arguments are checked against `input` by `run` itself. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly effect: ToolEffect;
  readonly reach: "sources" | "held";
  readonly description: string;
  readonly input: z.ZodObject;
  readonly output: z.ZodObject;
  /** An answer of `run` in words; absent: it is given as JSON. */
  readonly text?: ((structured: Record<string, unknown>) => Fenced) | undefined;
  /**
   * Throws zod's error for bad arguments, UnshipError for what went wrong in our words, `ResultTooLarge`. What it gives
   * fits `output`, is clean (S10, S11) and bounded.
   */
  readonly run: (args: unknown, context: ToolContext, abort: AbortSignal) => Promise<ToolAnswer>;
}

/** Makes a tool whose handler sees checked, typed arguments and whose answer is checked against its declared output. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject>(tool: ToolDefinition<I, O>): Tool {
  const { text: words } = tool;
  // Cleaned and checked, an answer is still what `run` gave.
  const text = words && ((structured: Record<string, unknown>) => words(structured as AllFenced<z.input<O>>));
  const finish = (result: AllFenced<z.input<O>>): ToolAnswer => {
    const answer = tool.output.safeParse(result);
    if (!answer.success) throw new Error(`${tool.name} broke its own output schema`, { cause: answer.error });
    const given = answerOf(answer.data);
    return text === undefined ? given : { ...given, text: text(given.structured) };
  };
  return {
    ...tool,
    text,
    run: async (args, context, abort) => {
      const result = await tool.run(tool.input.parse(args), context, abort);
      return result instanceof KeptResult ? result.answer(finish) : finish(result);
    },
  };
}

/**
 * MCP's hints: all that mean something, none left to a client's default. `idempotentHint` means something beside
 * `readOnlyHint: false` alone.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
 */
export function annotationsOf({ effect, reach }: Pick<Tool, "effect" | "reach">) {
  const readOnlyHint = effect === "read";
  return {
    readOnlyHint,
    // Only `submit` can end in a write to production.
    destructiveHint: effect === "submit",
    // A second proposal is a second plan; a held plan submitted again after its approval does act.
    ...(readOnlyHint ? {} : { idempotentHint: false }),
    openWorldHint: reach === "sources" || effect === "submit",
  };
}
