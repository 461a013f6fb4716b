import { UnshipError } from "../../core/errors.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { RecalledIncident } from "../../core/ports.ts";
import { type Composition, EXIT, type ExitCode, type KnowledgeDesk } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

export interface KnowledgeOptions {
  readonly config?: string;
  readonly json?: JsonOption;
}

const LISTED = 20;

/** `unship knowledge list`: what was learned last, newest first. */
export function knowledgeList(to: Composition, options: KnowledgeOptions): Promise<ExitCode> {
  return withMemory(to, options, async (memory) =>
    show(to, options, await memory.list(LISTED), "Nothing has been remembered yet."),
  );
}

/** `unship knowledge search TEXT`: past incidents like this, most similar first. Exit code 1 where there is none. */
export function knowledgeSearch(to: Composition, text: string, options: KnowledgeOptions): Promise<ExitCode> {
  return withMemory(to, options, async (memory) => {
    const found = await memory.recall(text, LISTED);
    await show(to, options, found, "No past incident is like this.");
    return found.length > 0 ? EXIT.ok : EXIT.no;
  });
}

/** `unship knowledge forget INCIDENT`: takes one incident out of the memory; the ledger keeps it. */
export function knowledgeForget(to: Composition, id: string, options: KnowledgeOptions): Promise<ExitCode> {
  return withMemory(to, options, async (memory) => {
    await memory.forget(id);
    await present(to, options.json, { forgotten: id }, [
      `Forgotten: ${id}. The ledger keeps it; a rebuild of the memory leaves it out.`,
    ]);
    return EXIT.ok;
  });
}

/** `unship knowledge rebuild`: makes the memory again from the ledger, which is the truth. */
export function knowledgeRebuild(to: Composition, options: KnowledgeOptions): Promise<ExitCode> {
  return withMemory(to, options, async (memory) => {
    const count = await memory.rebuild();
    await present(to, options.json, { rebuilt: count }, [`Rebuilt from the ledger: ${count} incidents.`]);
    return EXIT.ok;
  });
}

async function withMemory(
  to: Composition,
  options: KnowledgeOptions,
  work: (memory: KnowledgeDesk) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "no-sources");
  const memory = await to.knowledge(config);
  if (memory === null) {
    const reason = "has no log_outcome under feedback_loop.post_rollback, so nothing is remembered";
    throw new UnshipError("input.invalid", { what: file, reason });
  }
  try {
    return await work(memory);
  } finally {
    await memory.close();
  }
}

async function show(
  to: Composition,
  options: KnowledgeOptions,
  found: readonly RecalledIncident[],
  none: string,
): Promise<ExitCode> {
  const value = found.map(({ incidentId, at, summary, outcome, score }) => ({
    incident: incidentId,
    at: rfc3339(at),
    summary,
    outcome,
    score,
  }));
  const words = found.map(
    ({ incidentId, at, summary, outcome }) => `${rfc3339(at)}  ${incidentId}  ${outcome}  ${summary}`,
  );
  await present(to, options.json, value, words.length === 0 ? [none] : words);
  return EXIT.ok;
}
