import type { ToolSpec } from "../chain/tool-client.ts";

/** A call that a model asks for. `id` ties its result to it; both vendors' wire formats have one. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them: parsed JSON, or null where it wrote none that parses. Checked by whoever runs the call. */
  readonly args: Readonly<Record<string, unknown>> | null;
}

export type ChatMessage =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly calls: readonly ToolCall[] }
  | {
      readonly role: "tools";
      readonly results: readonly { readonly callId: string; readonly text: string; readonly isError: boolean }[];
    };

/** What a model may call: a tool of the server, or the step's own way to end. */
export type ChatTool = Pick<ToolSpec, "name" | "description" | "inputSchema">;

/**
 * One turn. `system` and `tools` are the same for a whole step and come first, so that a vendor's prompt cache can
 * keep them; `messages` only ever grow.
 */
export interface ChatRequest {
  readonly system: string;
  readonly tools: readonly ChatTool[];
  readonly messages: readonly ChatMessage[];
  readonly maxOutputTokens: number;
}

export interface ChatReply {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** `length`: cut off at `maxOutputTokens`; what it said is not whole. `refused`: the vendor's or model's own refusal. */
  readonly stop: "end" | "calls" | "length" | "refused";
  /** Input counts what was read from and written to the vendor's prompt cache too; `cachedTokens` is the part read. */
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly cachedTokens?: number };
}

/**
 * A language model behind any vendor's API. `reply` throws `UnshipError` "model.unavailable" when no usable reply can
 * be had (after the retries that the vendor's client makes), and stops at once when told to.
 */
export interface ChatModel {
  readonly name: string;
  reply(request: ChatRequest, abort: AbortSignal): Promise<ChatReply>;
}
