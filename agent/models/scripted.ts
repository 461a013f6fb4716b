import { modelUnavailable } from "./failures.ts";
import type { ChatModel, ChatReply, ChatRequest, ToolCall } from "./model.ts";

/** What a scripted model does at one turn: call tools, say something, or fail. */
export type Turn =
  | { readonly calls: readonly Pick<ToolCall, "name" | "args">[]; readonly stop?: ChatReply["stop"] }
  | { readonly text: string; readonly stop?: ChatReply["stop"] }
  | { readonly fail: string };

/**
 * A model that plays a script: one function from the conversation so far to its next turn. Deterministic; counts four
 * bytes as a token, so that budgets can be tested. `requests` is what it was asked, in order.
 */
export function scriptedModel(
  script: (request: ChatRequest, turn: number) => Turn | Promise<Turn>,
  name = "scripted",
): ChatModel & { readonly requests: readonly ChatRequest[] } {
  const requests: ChatRequest[] = [];
  return {
    name,
    requests,
    async reply(request, abort) {
      abort.throwIfAborted();
      requests.push(request);
      const turn = await untilAborted(Promise.resolve(script(request, requests.length - 1)), abort);
      if ("fail" in turn) throw modelUnavailable(turn.fail);
      const text = "text" in turn ? turn.text : "";
      const calls =
        "calls" in turn ? turn.calls.map((call, index) => ({ ...call, id: `call-${requests.length}-${index}` })) : [];
      const usage = { inputTokens: tokens(request), outputTokens: tokens({ text, calls }) };
      return { text, calls, stop: turn.stop ?? (calls.length > 0 ? "calls" : "end"), usage };
    },
  };
}

const tokens = (value: unknown) => Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4);

async function untilAborted<T>(work: Promise<T>, abort: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(abort.reason);
  abort.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, stopped.promise]);
  } finally {
    abort.removeEventListener("abort", stop);
  }
}
