import { ZodError } from "zod";
import { type ErrorCode, UnshipError } from "../core/errors.ts";
import { cleanText, UNTRUSTED_NOTICE } from "../core/model/untrusted-text.ts";
import type { Tool } from "./define-tool.ts";
import { ResultTooLarge } from "./result.ts";

/** What to do about an error, for a model or a person who can only call tools. */
const NEXT: Partial<Record<ErrorCode, string>> = {
  "incident.unknown": "Call search_incidents without text to list the incidents that there are.",
  "service.unknown": "Call list_services for the names.",
  "metric.unknown": "Call query_metric with one of these.",
  "plan.unknown": "Call propose_plan to file one.",
  "plan.expired": "Call propose_plan again; the world may have changed since.",
  "plan.changed": "Call propose_plan again.",
  "permit.invalid": "Call submit_plan again.",
  "target.stale": "Call get_rollout to see what is there now, then propose_plan again.",
  "source.unavailable": "Go on without it and treat its part as unknown: neither healthy nor failing.",
  "source.refused": "Go on without it and say so; a person must check the credentials (unship check).",
  "source.too_large": "Ask for a shorter window or fewer services.",
  "store.unavailable": "Go on without past incidents; a person can run `unship knowledge rebuild`.",
  "ledger.unavailable": "Nothing was done. Tell a person.",
};

/**
 * What a caller is told of a failure: our own words and what to do next. What a remote said of it stands
 * within the fence; the text of an error that we did not foresee never leaves here (S10, S11). `ours`: it belongs in our log.
 */
export function failureText(tool: Tool, error: unknown): { readonly text: string; readonly ours: boolean } {
  if (error instanceof ZodError) return { text: argumentsText(tool, error), ours: false };
  if (error instanceof UnshipError) {
    const next = NEXT[error.code] ?? (error.retry ? "Trying again later may help." : "");
    const ours = error.code.startsWith("source.") || error.code.startsWith("ledger.");
    const notice = error.message.includes("«") ? UNTRUSTED_NOTICE : "";
    return { text: cleanText([error.message, next, notice].filter((one) => one !== "").join(" "), 1_000), ours };
  }
  if (error instanceof ResultTooLarge) {
    return {
      text: `${tool.name} found more than one result can hold; ask for less with limit or a filter.`,
      ours: true,
    };
  }
  return {
    text: `${tool.name} failed for a reason of unship's own, which is in its log. Go on without it.`,
    ours: true,
  };
}

function argumentsText(tool: Tool, error: ZodError): string {
  const problems = error.issues.slice(0, 5).map((issue) => {
    const at = issue.path.map(String).join(".");
    return cleanText(at === "" ? issue.message : `${at}: ${issue.message}`, 200);
  });
  const known = Object.keys(tool.input.shape).join(", ") || "none";
  return `The arguments do not fit ${tool.name}: ${problems.join("; ")}. It takes: ${known}.`;
}
