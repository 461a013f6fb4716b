import { name } from "../../core/model/untrusted-text.ts";
import type { ToolContext } from "../context.ts";

/** The protocol's own bound on one answer (MCP 2025-11-25, Completion). */
const MOST = 100;

/**
 * Values of an argument that begin with what was typed: services by name, incidents newest first, plans of the newest
 * incidents. Empty for an argument that we know nothing of.
 */
export async function completions(
  argument: string,
  typed: string,
  context: ToolContext,
): Promise<{ readonly values: string[]; readonly total: number; readonly hasMore: boolean }> {
  const begins = typed.toLowerCase();
  const found = (await known(argument, context)).filter((value) => value.toLowerCase().startsWith(begins));
  return {
    values: found.slice(0, MOST).map((value) => name(value)),
    total: found.length,
    hasMore: found.length > MOST,
  };
}

async function known(argument: string, { ledger, config, caseFile }: ToolContext): Promise<readonly string[]> {
  if (argument === "incident") return (await ledger.incidents()).map(({ id }) => id);
  if (argument === "plan") return (await ledger.incidents()).flatMap(({ plan }) => (plan === null ? [] : [plan.id]));
  if (argument !== "service") return [];
  const { series, topology } = await caseFile();
  const seen = series.map(({ service }) => service);
  return [...new Set([...Object.keys(config.services), ...seen, ...(topology?.edges ?? []).flat()])].sort();
}
