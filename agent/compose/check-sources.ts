import { readFileSync } from "node:fs";
import type { Config, ConfigProblem, ModelConfig } from "../../core/config/config.ts";
import { locate } from "../../core/config/load.ts";
import type { Trouble } from "../../core/config/variables.ts";
import { readYaml } from "../../core/config/yaml-tree.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Ledger } from "../../core/ports.ts";
import type { CheckLine } from "../cli/composition.ts";
import type { BudgetedModel } from "../models/budget.ts";
import type { LiveSystem } from "./live-system.ts";
import { prove } from "./prove.ts";
import { unreadableQueries } from "./prove-queries.ts";
import type { SourceReport } from "./system-parts.ts";

/** The file again as its text, for the places of what is wrong in it. */
const textOf = (file: string): string => readFileSync(file, "utf8");

/** Queries that are no PromQL, each with its line and column. Asks no source. */
export function queryProblems(config: Config, file: string): readonly ConfigProblem[] {
  const text = textOf(file);
  return locate(unreadableQueries(config, readYaml(text).root), text, file);
}

/** What each source says of itself, and then what the file says against all of them. */
export async function sourceLines(
  config: Config,
  file: string,
  system: LiveSystem,
  abort: AbortSignal,
): Promise<readonly CheckLine[]> {
  const text = textOf(file);
  const reports = await system.report(abort);
  const proof = await prove(config, readYaml(text).root, system.tells, abort);
  const placed = (report: SourceReport, isProof: boolean): CheckLine => {
    const { trouble, ...line } = report;
    if (trouble === undefined) return isProof ? { ...line, proof: true } : line;
    const [problem] = locate([trouble], text, file);
    return problem === undefined ? line : { ...line, problem, proof: true };
  };
  return [...reports.map((one) => placed(one, false)), ...inOrder(proof).map((one) => placed(one, true))];
}

/** What fails first, and last what is only worth knowing. */
const inOrder = (reports: readonly SourceReport[]): readonly SourceReport[] =>
  reports.toSorted((one, other) => rank(one) - rank(other));

const rank = ({ trouble, caution }: { readonly trouble?: Trouble; readonly caution?: true }): number =>
  trouble !== undefined ? 0 : caution === true ? 2 : 1;

/** A ledger on a server is asked for one thing; a file is made when it is first needed. */
export async function ledgerLines(
  config: Config,
  open: (config: Config) => Promise<Ledger>,
): Promise<readonly CheckLine[]> {
  if (config.ledger.type === "sqlite") return [];
  const began = performance.now();
  try {
    const ledger = await open(config);
    const { seq } = await ledger.head().finally(ledger.close);
    const ms = Math.round(performance.now() - began);
    return [{ ok: true, text: `ledger: PostgreSQL answered in ${ms} ms; ${seq} entries` }];
  } catch (error) {
    if (!(error instanceof UnshipError) || error.code !== "ledger.unavailable") throw error;
    return [{ ok: false, text: `ledger: ${error.message}` }];
  }
}

/**
 * Of a model that may answer: one word, with one tool at hand as in the chain. A few dozen tokens are all that may be used.
 * It is down where it does not answer; the chain then goes on without it (S12).
 */
export async function modelLine(
  { provider, model, budget }: ModelConfig,
  open: () => Promise<BudgetedModel>,
  abort: AbortSignal,
): Promise<CheckLine> {
  const began = performance.now();
  const name = `model ${provider} ${model}`;
  try {
    const one = await open();
    await one.reply(PING, AbortSignal.any([abort, AbortSignal.timeout(budget.stepTimeMs)]));
    const { inputTokens, outputTokens } = one.spent();
    const ms = Math.round(performance.now() - began);
    return { ok: true, text: `${name}: answered in ${ms} ms, ${inputTokens + outputTokens} tokens` };
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return { ok: false, text: `${name}: ${error.message}` };
  }
}

/** OpenAI refuses an empty list of tools, and fewer than 16 output tokens in some of its APIs. */
const PING = {
  system: "Answer with the one word: ready.",
  tools: [{ name: "nothing", description: "Does nothing.", inputSchema: { type: "object" as const, properties: {} } }],
  messages: [{ role: "user" as const, text: "Are you ready?" }],
  maxOutputTokens: 16,
};
