import type { ToolCall } from "./model.ts";

/** What a model wrote as a call's arguments: an object, or null for anything else. Nothing written means none. */
export function toolArguments(text: string): ToolCall["args"] {
  if (text.trim() === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
  } catch {
    return null;
  }
}
