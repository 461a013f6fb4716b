import { parseSpokenDuration, SPELLED_UNITS } from "./durations.ts";
import { nearest } from "./nearest.ts";

/** What is wrong with a text, or the value that it gives; `none`: the text does not speak of it. */
export type TextPart<T> =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "wrong"; readonly what: string; readonly hint: string; readonly offset: number };

/**
 * The window in a step's action: "query deployments within last 30 minutes" → 1800000 ms.
 *
 * Looks for "last", "past" or "previous" and the number after it. A number whose unit cannot be read is an error, so
 * that a slip of the pen never silently means another window.
 */
export function windowOfAction(action: string): TextPart<number> {
  const match = /\b(?:last|past|previous)\s+(\d+(?:\.\d+)?)\s*([A-Za-z]*)/i.exec(action);
  if (match !== null) {
    const [whole, count = "", unit = ""] = match;
    const offset = match.index + whole.length - unit.length;
    const ms = parseSpokenDuration(`${count}${unit}`);
    if (ms !== null && ms > 0) return { kind: "value", value: ms };
    if (ms === 0) return { kind: "wrong", what: "a window of nothing", hint: 'write "last 30 minutes"', offset };
    const near = nearest(
      unit,
      SPELLED_UNITS.filter((name) => name.length > 3 && name.endsWith("s")),
    );
    const hint = near === null ? 'write "last 30 minutes"' : `did you mean ${count} ${near}?`;
    return {
      kind: "wrong",
      what: unit === "" ? `"${count}" has no unit` : `"${unit}" is no unit of time`,
      hint,
      offset,
    };
  }
  const single = /\b(?:last|past|previous)\s+(minute|hour|day|week)\b/i.exec(action);
  if (single === null) return { kind: "none" };
  return { kind: "value", value: parseSpokenDuration(`1 ${single[1] ?? ""}`) ?? 0 };
}

/** The choices in a step's action: "select from [rollback, no_action]" → both names, in order, as written. */
export function choicesOfAction(action: string): TextPart<readonly string[]> {
  const start = /\b(?:select|choose|pick)\s+(?:one\s+)?from\b/i.exec(action);
  if (start === null) return { kind: "none" };
  const offset = start.index + start[0].length;
  const list = /^\s*\[([^\]]*)\]/.exec(action.slice(offset));
  const hint = 'write "select from [rollback, no_action]"';
  if (list === null)
    return { kind: "wrong", what: '"select from" is not followed by a list in brackets', hint, offset };
  const names = (list[1] ?? "").split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) return { kind: "wrong", what: "an empty choice in the list", hint, offset };
  return { kind: "value", value: names };
}
