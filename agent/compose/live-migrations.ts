import type { MigrationsSource } from "../../core/config/config.ts";
import { argumentAsWritten, asWritten } from "../../core/config/filled.ts";
import { secret } from "./secrets.ts";
import { attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

/** What every command sees, so that programs are found and find their own settings. */
const ALWAYS = ["PATH", "HOME"];

/** Opens the schemas that the file names: their versions as changes, and the hand that takes a migration back. */
export async function openMigrations(
  sources: readonly MigrationsSource[],
  { config, clock, environment, act }: OpenContext,
  parts: SystemParts,
): Promise<void> {
  const { migrationChanges } = await import("../../mcp-tools/connectors/migrations/changes.ts");
  const { readVersion } = await import("../../mcp-tools/connectors/migrations/database.ts");
  const databases = sources.map(({ environment: names, write, ...source }) => ({
    ...source,
    asWritten: {
      argument: (text: string) => argumentAsWritten(text, config.filled),
      output: (text: string) => asWritten(text, config.filled),
    },
    namespace: config.services[source.service]?.namespace ?? "default",
    environment: {
      ...Object.fromEntries(
        ALWAYS.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])),
      ),
      ...Object.fromEntries(
        [...names, ...(act ? (write?.environment ?? []) : [])].map((name) => [
          name,
          secret({ from: "env", name }, environment),
        ]),
      ),
    },
  }));
  parts.sources.changes.push(migrationChanges(databases, clock.now));
  for (const database of databases) {
    parts.report.push((abort) =>
      attempt(`migrations of ${database.name}`, async () =>
        database.status === null ? "no status command" : `at ${await readVersion(database, abort)}`,
      ),
    );
  }
  if (!act) return;
  const { migrationRollback } = await import("../../mcp-tools/connectors/migrations/rollback.ts");
  parts.executors.push(migrationRollback({ databases, now: clock.now }));
}
