import { JSON_DEPTH, jsonWithin } from "../../core/model/json-meter.ts";
import type { ToolCall } from "./model.ts";

/** More than the largest arguments that any tool takes: a value takes two bytes, and the server takes 1 MiB. */
const MOST_VALUES = 512 * 1024;

/** What a model wrote as a call's arguments: an object, or null for anything else. Nothing written means none. */
export function toolArguments(text: string): ToolCall["args"] {
  if (text.trim() === "") return {};
  const parsed = jsonWithin(text, { depth: JSON_DEPTH, values: MOST_VALUES });
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
}
