import OpenAI, { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from "openai";
import type { RemoteModelOptions } from "./anthropic.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import { EndedEarly, judging, NoAnswerOfThisApi, withoutEvents } from "./failures.ts";
import type { ChatMessage, ChatModel, ChatReply, ChatRequest } from "./model.ts";
import { PATIENCE, patiently } from "./patience.ts";
import { toolArguments } from "./tool-arguments.ts";

const CLASSES = { APIError, APIConnectionError, APIConnectionTimeoutError, APIUserAbortError };
type Message = OpenAI.Chat.Completions.ChatCompletionMessageParam;
type Chunk = OpenAI.Chat.Completions.ChatCompletionChunk;

/**
 * Chat completions, streamed, with tools: OpenAI's, and any endpoint that speaks the same at `baseUrl`. Prefixes are
 * cached by the vendor itself; system prompt and tools come first and do not change within a step.
 * @see https://platform.openai.com/docs/api-reference/chat/create and …/chat-streaming
 */
export function openaiModel(options: RemoteModelOptions): ChatModel {
  const { timeoutMs } = options;
  const baseUrl = options.baseUrl ?? "https://api.openai.com/v1";
  // What comes inside a stream has no status; all of it is asked for again.
  const judge = judging(CLASSES, { baseUrl, timeoutMs }, () => true);
  const client = new OpenAI({
    // All that the client would read from the environment is said here: the configuration decides where text goes.
    apiKey: options.apiKey ?? "none",
    baseURL: baseUrl,
    organization: null,
    project: null,
    fetch: boundedFetch,
    logLevel: "off",
    maxRetries: 0,
    timeout: timeoutMs,
  });
  return {
    name: `openai ${options.model}`,
    reply(request, abort) {
      const turn = async () => {
        const signal = AbortSignal.any([abort, AbortSignal.timeout(timeoutMs)]);
        const asked = client.chat.completions.create(toBody(options, request), { signal });
        const { data, response } = await asked.withResponse();
        return await collect(data, response, request);
      };
      return patiently(turn, judge, abort, options.patience ?? PATIENCE);
    },
  };
}

function toBody({ model, baseUrl }: RemoteModelOptions, request: ChatRequest) {
  const most = request.maxOutputTokens;
  return {
    model,
    stream: true as const,
    stream_options: { include_usage: true },
    // OpenAI's newer models refuse max_tokens; many compatible servers know nothing else.
    ...(baseUrl === null ? { max_completion_tokens: most } : { max_tokens: most }),
    messages: [{ role: "system" as const, content: request.system }, ...request.messages.flatMap(toMessages)],
    tools: request.tools.map(({ name, description, inputSchema }) => ({
      type: "function" as const,
      function: { name, description, parameters: { ...inputSchema } },
    })),
  };
}

function toMessages(message: ChatMessage): readonly Message[] {
  if (message.role === "user") return [{ role: "user", content: message.text }];
  if (message.role === "tools")
    return message.results.map(({ callId, text }) => ({ role: "tool", tool_call_id: callId, content: text }));
  const calls = message.calls.map(({ id, name, args }) => ({
    id,
    type: "function" as const,
    function: { name, arguments: JSON.stringify(args ?? {}) },
  }));
  return [{ role: "assistant", content: message.text, ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
}

interface Call {
  id: string;
  name: string;
  args: string;
}

/** Puts the stream's chunks together. One that ends without a finish reason is a dropped connection. */
async function collect(stream: AsyncIterable<Chunk>, response: Response, request: ChatRequest): Promise<ChatReply> {
  const calls = new Map<number, Call>();
  let text = "";
  let refusal = false;
  let begun = false;
  let finish: string | null = null;
  let usage: Chunk["usage"] = null;
  for await (const chunk of stream) {
    begun = true;
    if (!Array.isArray(chunk.choices)) throw new NoAnswerOfThisApi();
    usage = chunk.usage ?? usage;
    const choice = chunk.choices[0];
    if (choice === undefined) continue;
    text += choice.delta.content ?? "";
    refusal ||= (choice.delta.refusal ?? "") !== "";
    for (const part of choice.delta.tool_calls ?? []) {
      const call = calls.get(part.index) ?? { id: "", name: "", args: "" };
      call.id ||= part.id ?? "";
      call.name ||= part.function?.name ?? "";
      call.args += part.function?.arguments ?? "";
      calls.set(part.index, call);
    }
    finish = choice.finish_reason ?? finish;
  }
  if (finish === null) throw begun ? new EndedEarly() : withoutEvents(response);
  const all = [...calls.values()].map(({ id, name, args }, i) => ({
    id: id || `call-${i}`,
    name,
    args: toolArguments(args),
  }));
  return { text, calls: all, stop: stopOf(finish, refusal, all.length), usage: usageOf(usage, request, text, calls) };
}

function stopOf(finish: string, refusal: boolean, calls: number): ChatReply["stop"] {
  if (refusal || finish === "content_filter") return "refused";
  if (finish === "length") return "length";
  return calls > 0 ? "calls" : "end";
}

/** As the server counted; one that does not count is taken at four bytes a token, the usual rule of thumb for English. */
function usageOf(usage: Chunk["usage"], request: ChatRequest, text: string, calls: ReadonlyMap<number, Call>) {
  if (usage === null || usage === undefined) {
    const tokens = (value: unknown) => Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4);
    return { inputTokens: tokens(request), outputTokens: tokens([text, ...calls.values()]) };
  }
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
  };
}
