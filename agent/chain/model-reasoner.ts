import { z } from "zod";
import { modelUnavailable } from "../models/failures.ts";
import type { ChatMessage, ChatModel, ChatTool, ToolCall } from "../models/model.ts";
import { boundedTools } from "./bounded-tools.ts";
import { compacted } from "./compaction.ts";
import { CustomAnswer } from "./custom-step.ts";
import { systemPrompt, taskPrompt } from "./prompt.ts";
import type { Reasoner, StepReply, StepTask, StepTools, Usage } from "./reasoner.ts";

export interface ModelLimits {
  /** Turns of one step; each may hold several calls. */
  readonly turns: number;
  readonly maxOutputTokens: number;
  /** Tokens of one step, input and output, over all its turns. */
  readonly tokens: number;
  /** Tokens that one request may hold before old results are left out of it. */
  readonly contextTokens: number;
  /** Longest that one step may take, ms; absent: as long as the chain lets it. */
  readonly stepMs?: number;
}

/**
 * The whole chain is to stay under 20,000 tokens for six steps on a typical incident; a hard one may use more. A context
 * of 24,000 leaves room for the answer in the 32,000 that small models behind compatible endpoints have.
 */
export const DEFAULT_LIMITS: ModelLimits = { turns: 8, maxOutputTokens: 2_000, tokens: 60_000, contextTokens: 24_000 };

/** How a step ends: the model calls this with its answer. Both vendors support tools; none needs a special mode. */
const ANSWER = "answer_step";

/**
 * A language model as a reasoner: a bounded loop of turns. It sees the step's own tools, which only read, and one more
 * to give its answer. It throws when the model gives nothing usable; the chain then goes on without it (S12).
 */
export function modelReasoner(model: ChatModel, limits: ModelLimits = DEFAULT_LIMITS): Reasoner {
  return {
    name: model.name,
    deterministic: false,
    async answer(task, unbounded, outer) {
      const tools = boundedTools(unbounded);
      const abort = limits.stepMs === undefined ? outer : AbortSignal.any([outer, AbortSignal.timeout(limits.stepMs)]);
      const system = await systemPrompt(task);
      const answerWith = answerTool(task);
      let messages: readonly ChatMessage[] = [{ role: "user", text: taskPrompt(task) }];
      let usage: Usage = { inputTokens: 0, outputTokens: 0 };
      for (let turn = 0; turn < limits.turns; turn += 1) {
        abort.throwIfAborted();
        const { maxOutputTokens } = limits;
        messages = compacted(messages, limits.contextTokens);
        const chatTools = [...tools.specs.map(toChatTool), answerWith];
        const reply = await model.reply({ system, tools: chatTools, messages, maxOutputTokens }, abort);
        usage = {
          inputTokens: usage.inputTokens + reply.usage.inputTokens,
          outputTokens: usage.outputTokens + reply.usage.outputTokens,
        };
        if (reply.stop === "refused" || reply.stop === "length") throw modelUnavailable(`it stopped: ${reply.stop}`);
        const answer = reply.calls.find(({ name }) => name === ANSWER);
        if (answer !== undefined) return ended(answer, usage);
        const said: ChatMessage = { role: "assistant", text: reply.text, calls: reply.calls };
        messages = [...messages, said, reply.calls.length === 0 ? nudge() : await run(reply.calls, tools)];
        if (usage.inputTokens + usage.outputTokens > limits.tokens) throw modelUnavailable("its token budget is spent");
      }
      throw modelUnavailable("it gave no answer in its turns");
    },
  };
}

const toChatTool = ({ name, description, inputSchema }: ChatTool): ChatTool => ({
  name,
  description,
  inputSchema: lean(inputSchema) as ChatTool["inputSchema"],
});

function answerTool({ spec, step }: StepTask): ChatTool {
  const inputSchema = lean(z.toJSONSchema(spec?.answer ?? CustomAnswer, { io: "input" })) as ChatTool["inputSchema"];
  return { name: ANSWER, description: `Ends the step ${step} with your answer. Call it once, alone.`, inputSchema };
}

/**
 * What a model need not read, since whoever runs the call checks it: dialect, closed objects, how long a text may be,
 * that nothing is less than zero or fewer than one, bounds of every integer.
 */
const NOT_TOLD = new Set(["$schema", "additionalProperties", "minLength", "maxLength"]);
/** Arguments that the chain fills in itself. */
const FILLED_IN = new Set(["incident", "known"]);

function lean(schema: unknown, inProperties = false): unknown {
  if (Array.isArray(schema)) return schema.map((one) => lean(one));
  if (schema === null || typeof schema !== "object") return schema;
  const told = Object.entries(schema).filter(([key, value]) =>
    inProperties ? !FILLED_IN.has(key) : !NOT_TOLD.has(key) && !isIdleBound(key, value),
  );
  return Object.fromEntries(told.map(([key, value]) => [key, lean(value, key === "properties" && !inProperties)]));
}

const isIdleBound = (key: string, value: unknown) =>
  Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER || (key === "minimum" && (value === 0 || value === 1));

/** A call without arguments that parse is an answer too: a wrong one, which the chain refuses with the reason. */
function ended(call: ToolCall, usage: Usage): StepReply {
  return { answer: call.args ?? {}, usage };
}

const nudge = (): ChatMessage => ({ role: "user", text: `Go on: call a tool, or end the step with ${ANSWER}.` });

async function run(calls: readonly ToolCall[], tools: StepTools): Promise<ChatMessage> {
  const results = [];
  for (const { id, name, args } of calls) {
    const result =
      args === null
        ? { text: `The arguments of ${name} are not valid JSON; write them again.`, isError: true }
        : await tools.call(name, args);
    results.push({ callId: id, text: result.text, isError: result.isError });
  }
  return { role: "tools", results };
}
