import { UnshipError } from "../../../core/errors.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import type { Ended } from "./command.ts";
import { type Database, endText, readable, readVersion, rollbackArguments, run, shown, stepsText } from "./database.ts";

type Answer = Pick<TargetResult, "result" | "detail"> & { readonly warnings?: readonly string[] };

const LOSS =
  "What was written into columns and tables that the older schema lacks is lost, or stays where nothing reads it.";

/**
 * Takes one migration back by the command that the file names: only where a status command is named too, only while
 * that says that the schema is at the version that the plan expects, and judged by what it says afterwards, whatever the
 * command itself claims. It is run once: where its end is not known, nobody runs it again, and a person gets the exact
 * steps. The gate never lets it run without one (S3). `now`: Unix ms, for the results.
 */
export function migrationRollback({
  databases,
  now,
}: {
  readonly databases: readonly Database[];
  readonly now: () => number;
}): Executor {
  const databaseOf = ({ object, service }: Target): Database | undefined =>
    databases.find((one) => one.name === object.name && one.namespace === object.namespace && one.service === service);
  const answer = (target: Target, { result, detail, warnings = [] }: Answer): TargetResult => ({
    target,
    result,
    detail: `Migrations of ${target.object.name}: ${detail}`,
    at: now(),
    warnings: [...warnings],
  });
  const answering = async (
    target: Target,
    then: (database: Database) => Promise<Answer> | Answer,
  ): Promise<TargetResult> => {
    const database = databaseOf(target);
    if (database === undefined)
      return answer(target, { result: "refused", detail: "the file names no migrations of it" });
    return answer(target, unready(database, target) ?? (await then(database)));
  };
  /** How each try of this process stands: the gate may have lost patience with it before it ended. */
  const runs = new Map<string, Ended | "running">();
  return {
    action: "database_migration_rollback",
    /** The longest that any of the commands may take: the gate waits for that. */
    executeTimeoutMs: Math.max(0, ...databases.map(({ timeoutMs }) => timeoutMs)) + AFTERWARDS_MS,
    async inspect(target, abort) {
      const database = databaseOf(target);
      if (database === undefined)
        throw new UnshipError("source.not_found", { source: "migrations", what: target.object.name });
      const refusal = unready(database, target);
      if (refusal !== null) return { ...target.expected, obstacles: [refusal.detail], warnings: [] };
      return { version: await readVersion(database, abort), revision: "", obstacles: [], warnings: [LOSS] };
    },
    dryRun: (target, abort) =>
      answering(target, async (database) => {
        const detail = `would run ${JSON.stringify(rollbackArguments(readable(database), target))}`;
        return (await judge(database, target, abort)) ?? { result: "done", detail, warnings: [LOSS] };
      }),
    execute: (target, key, abort) =>
      answering(
        target,
        async (database) =>
          (await judge(database, target, abort)) ?? takeBack(database, target, abort, (end) => runs.set(key, end)),
      ),
    reconcile: (target, key, abort) =>
      answering(target, async (database) => {
        const version = await readVersion(database, abort).catch(() => null);
        if (version === target.restore.version) return reached(version, runs.get(key));
        const stands = version === null ? "the status command does not answer" : `it is at ${version}`;
        const detail = `whether the command still runs, or ever ran to its end, cannot be determined (${stands}); it is not run again`;
        return { result: "unknown", detail: `${detail}; ${stepsText(database, target)}` };
      }).then(orUntold),
  };
}

/** What refuses an act by the file as it is now says nothing of one that was tried before the file was changed. */
const orUntold = (result: TargetResult): TargetResult =>
  result.result === "refused"
    ? { ...result, result: "unknown", detail: `${result.detail}; whether it was run before cannot be determined` }
    : result;

/** Two looks at the status beside the command itself. */
const AFTERWARDS_MS = 60_000;

/** Why unship does not run it at all; null: it may. */
function unready(database: Database, target: Target): Answer | null {
  const steps = stepsText(database, target);
  if (database.status === null)
    return { result: "refused", detail: `no status command is named, so nothing tells the outcome; ${steps}` };
  if (database.rollback === null) return { result: "refused", detail: `no rollback command is named; ${steps}` };
  if (rollbackArguments(database, target) === null)
    return { result: "refused", detail: "a version of the plan is none that a migration tool would print" };
  return null;
}

/** Why not to run it on what stands; null: run. */
async function judge(database: Database, target: Target, abort: AbortSignal): Promise<Answer | null> {
  const version = await readVersion(database, abort).catch(() => null);
  const { expected, restore } = target;
  if (version === null) return { result: "unreachable", detail: "its status command does not answer; nothing was run" };
  if (version === restore.version) return { result: "nothing-to-do", detail: `it is at ${version} already` };
  if (version === expected.version) return null;
  return { result: "stale", detail: `it is at ${version}, the plan expects ${expected.version}; nothing was run` };
}

/** The schema is where it should be; whether the command went well is another question, and is not guessed. */
function reached(version: string, run: Ended | "running" | undefined): Answer {
  if (run === "running") return { result: "unknown", detail: `it is at ${version}, and the command still runs` };
  if (run !== undefined && !wentWell(run))
    return {
      result: "failed",
      detail: `it is at ${version}, as wanted, but ${endText(run)}: check it before it serves`,
    };
  if (run !== undefined) return { result: "done", detail: `it is at ${version}`, warnings: [LOSS] };
  const unseen = "How the command ended is not known: it was not observed. Check it before it serves.";
  return { result: "done", detail: `it is at ${version}, as wanted`, warnings: [unseen, LOSS] };
}

const wentWell = ({ code, killed }: Ended): boolean => code === 0 && !killed;

async function takeBack(
  database: Database,
  target: Target,
  abort: AbortSignal,
  note: (run: Ended | "running") => void,
): Promise<Answer> {
  const argv = rollbackArguments(database, target) ?? [];
  note("running");
  const ended = await run(database, argv, database.timeoutMs, abort);
  note(ended);
  if (!ended.started)
    return { result: "failed", detail: `${readable(database).rollback?.[0]} could not be started; nothing was run` };
  const said = `${endText(ended)}${ended.output.trim() === "" ? "" : ` (${shown(database, ended)})`}`;
  // Asked anew also where the caller has lost patience: what stands now is what a person needs to know.
  const version = await readVersion(database, AbortSignal.timeout(AFTERWARDS_MS)).catch(() => null);
  const steps = stepsText(database, target);
  const { expected, restore } = target;
  if (version === null)
    return { result: "unknown", detail: `the command was run, ${said}, and its status does not answer; ${steps}` };
  if (version === restore.version && wentWell(ended))
    return { result: "done", detail: `it is at ${version}`, warnings: [LOSS] };
  if (version === restore.version)
    return { result: "failed", detail: `it is at ${version}, as wanted, but ${said}: check it before it serves` };
  const stands =
    version === expected.version
      ? `it still is at ${version}`
      : `HALF DONE: it is at ${version}, neither the one nor the other`;
  return { result: "failed", detail: `${stands}; ${said}; it is not run again; ${steps}` };
}
