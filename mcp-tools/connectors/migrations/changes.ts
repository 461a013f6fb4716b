import type { Change } from "../../../core/model/change.ts";
import type { ChangeSource } from "../../../core/ports.ts";
import { type Database, readVersion } from "./database.ts";

/** What was seen of one schema. */
interface Seen {
  readonly at: number;
  readonly version: string;
}

/**
 * Migrations as they are seen from outside: the status command's version is another one than at the last look. When it
 * happened lies between the two; the later one is taken as its end. What happened before the first look, and while
 * unship was not running, is not seen. Throws where a status command does not answer, since nobody knows then whether
 * something changed (S9). `now`: Unix ms.
 */
export function migrationChanges(databases: readonly Database[], now: () => number): ChangeSource {
  const asked = databases.filter(({ status }) => status !== null);
  const last = new Map<string, Seen>();
  const changes: Change[] = [];
  async function look(database: Database, abort: AbortSignal): Promise<void> {
    const before = last.get(database.name);
    const at = now();
    if (before !== undefined && at - before.at < database.everyMs) return;
    const version = await readVersion(database, abort);
    last.set(database.name, { at, version });
    if (before !== undefined && before.version !== version) changes.push(changeOf(database, before, { at, version }));
  }
  return {
    name: "migrations",
    async changes({ from, to }, abort) {
      for (const database of asked) await look(database, abort);
      return changes.filter(({ startedAt, finishedAt }) => startedAt <= to && (finishedAt ?? to) >= from);
    },
  };
}

const changeOf = ({ name, service, namespace }: Database, before: Seen, after: Seen): Change => ({
  id: `migration:${namespace}/${name}:${after.version}@${after.at}`,
  kind: "migration",
  service,
  from: before.version,
  to: after.version,
  startedAt: before.at,
  finishedAt: after.at,
  source: "migrations",
  reversible: false,
  workload: { kind: "Migration", namespace, name },
});
