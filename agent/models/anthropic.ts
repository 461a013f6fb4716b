import Anthropic, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from "@anthropic-ai/sdk";
import { boundedFetch } from "./bounded-fetch.ts";
import { EndedEarly, judging, withoutEvents } from "./failures.ts";
import type { ChatMessage, ChatModel, ChatReply, ChatRequest, ChatTool, ToolCall } from "./model.ts";
import { PATIENCE, type Patience, patiently } from "./patience.ts";
import { toolArguments } from "./tool-arguments.ts";

export interface RemoteModelOptions {
  readonly model: string;
  readonly apiKey: string | null;
  /** Null: the vendor's own. */
  readonly baseUrl: string | null;
  /** Most ms that one try may take, from asking to the last byte. */
  readonly timeoutMs: number;
  readonly patience?: Patience;
}

/**
 * Claude over the Messages API, streamed, with tools. The system prompt, the tools and the conversation so far end in
 * cache marks, so that each turn pays for what is new alone.
 * @see https://docs.anthropic.com/en/api/messages and …/messages-streaming, …/build-with-claude/prompt-caching
 */
export function anthropicModel(options: RemoteModelOptions): ChatModel {
  const { timeoutMs } = options;
  const baseUrl = options.baseUrl ?? "https://api.anthropic.com";
  const judge = judging(CLASSES, { baseUrl, timeoutMs }, passesInStream);
  const client = new Anthropic({
    // All that the client would read from the environment is said here: the configuration decides where text goes.
    apiKey: options.apiKey ?? "none",
    baseURL: baseUrl,
    fetch: boundedFetch,
    logLevel: "off",
    maxRetries: 0,
    timeout: timeoutMs,
  });
  return {
    name: `anthropic ${options.model}`,
    reply(request, abort) {
      const turn = async () => {
        const signal = AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)]);
        const asked = client.messages.create({ ...toBody(options.model, request), stream: true }, { signal });
        const { data, response } = await asked.withResponse();
        return await collect(data, response);
      };
      return patiently(turn, judge, abort, options.patience ?? PATIENCE);
    },
  };
}

const CLASSES = { APIError, APIConnectionError, APIConnectionTimeoutError, APIUserAbortError };
const CACHED = { cache_control: { type: "ephemeral" } } as const;

function toBody(model: string, request: ChatRequest): Anthropic.MessageCreateParamsNonStreaming {
  const last = request.tools.length - 1;
  return {
    model,
    max_tokens: request.maxOutputTokens,
    system: [{ type: "text", text: request.system, ...CACHED }],
    tools: request.tools.map((tool, i) => ({ ...toTool(tool), ...(i === last ? CACHED : {}) })),
    messages: request.messages.map((message, i) => toMessage(message, i === request.messages.length - 1)),
  };
}

const toTool = ({ name, description, inputSchema }: ChatTool): Anthropic.Tool => ({
  name,
  description,
  input_schema: { ...inputSchema, type: "object" },
});

function toMessage(message: ChatMessage, isLast: boolean): Anthropic.MessageParam {
  const mark = isLast ? CACHED : {};
  if (message.role === "user") return { role: "user", content: [{ type: "text", text: message.text, ...mark }] };
  if (message.role === "assistant") {
    const said = message.text.trim() === "" ? [] : [{ type: "text" as const, text: message.text }];
    const calls = message.calls.map(({ id, name, args }) => ({
      type: "tool_use" as const,
      id,
      name,
      input: args ?? {},
    }));
    return { role: "assistant", content: [...said, ...calls] };
  }
  const end = message.results.length - 1;
  return {
    role: "user",
    content: message.results.map(({ callId, text, isError }, i) => ({
      type: "tool_result",
      tool_use_id: callId,
      content: text,
      is_error: isError,
      ...(i === end ? mark : {}),
    })),
  };
}

interface Block {
  readonly id: string;
  readonly name: string | null;
  text: string;
}

/** Puts the stream's events together. A stream that ends before its last event is a dropped connection. */
async function collect(stream: AsyncIterable<Anthropic.RawMessageStreamEvent>, response: Response): Promise<ChatReply> {
  const blocks = new Map<number, Block>();
  let usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 };
  let stop: Anthropic.StopReason | null = null;
  let begun = false;
  let ended = false;
  for await (const event of stream) {
    begun = true;
    if (event.type === "message_start") usage = { ...usage, ...inputOf(event.message.usage) };
    if (event.type === "content_block_start") blocks.set(event.index, opened(event.content_block));
    if (event.type === "content_block_delta") {
      const block = blocks.get(event.index);
      if (block !== undefined) block.text += textOf(event.delta);
    }
    if (event.type === "message_delta") {
      stop = event.delta.stop_reason;
      usage = { ...usage, outputTokens: event.usage.output_tokens };
    }
    if (event.type === "message_stop") ended = true;
  }
  if (!begun) throw withoutEvents(response);
  if (!ended) throw new EndedEarly();
  const all = [...blocks.values()];
  const calls: readonly ToolCall[] = all.flatMap(({ id, name, text }) =>
    name === null ? [] : [{ id, name, args: toolArguments(text) }],
  );
  const text = all.flatMap((block) => (block.name === null ? [block.text] : [])).join("");
  return { text, calls, stop: stopOf(stop, calls.length), usage };
}

function opened(block: Anthropic.ContentBlock): Block {
  if (block.type === "tool_use") return { id: block.id, name: block.name, text: "" };
  return { id: "", name: null, text: block.type === "text" ? block.text : "" };
}

function textOf(delta: Anthropic.RawContentBlockDelta): string {
  if (delta.type === "text_delta") return delta.text;
  return delta.type === "input_json_delta" ? delta.partial_json : "";
}

function inputOf(usage: Anthropic.Usage): { inputTokens: number; cachedTokens: number } {
  const cachedTokens = usage.cache_read_input_tokens ?? 0;
  return { inputTokens: usage.input_tokens + cachedTokens + (usage.cache_creation_input_tokens ?? 0), cachedTokens };
}

function stopOf(reason: Anthropic.StopReason | null, calls: number): ChatReply["stop"] {
  if (reason === "refusal") return "refused";
  if (reason === "max_tokens" || reason === "model_context_window_exceeded") return "length";
  return reason === "tool_use" || calls > 0 ? "calls" : "end";
}

/** Errors inside a stream come without a status; their type says what passes. */
const PASSING_TYPES = new Set(["overloaded_error", "api_error", "rate_limit_error", "timeout_error"]);

const passesInStream = (error: Error): boolean => error instanceof APIError && PASSING_TYPES.has(error.type ?? "");
