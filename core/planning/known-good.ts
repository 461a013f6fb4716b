import type { Change } from "../model/change.ts";
import type { Revision, Rollout } from "../model/evidence.ts";

/** A version to restore, or why there is none. */
export type KnownGood = { readonly version: string; readonly revision: string } | { readonly obstacle: string };

/** A version that somebody replaced by an older one this soon was taken back, whatever they called it. */
const TAKEN_BACK_MS = 3_600_000;

/**
 * Versions of a service that did not do well: taken back by us, or by people within the hour.
 * `past`: versions with a bad outcome in earlier incidents.
 */
export function badVersions(
  service: string,
  changes: readonly Change[],
  past: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const bad = new Set(past);
  // A change of the template that leaves the version as it is says nothing of the version.
  const own = changes.filter(
    (change) => change.service === service && change.kind !== "flag" && change.from !== change.to,
  );
  for (const change of own) {
    if (change.ownRollback === true) bad.add(change.from);
    const back = own.find(
      (later) =>
        later.from === change.to &&
        later.to === change.from &&
        later.startedAt > change.startedAt &&
        later.startedAt - change.startedAt < TAKEN_BACK_MS,
    );
    if (back !== undefined) bad.add(change.to);
  }
  return bad;
}

/**
 * The latest revision older than the one that a change brought, whose version is not known to be bad. Not merely the
 * previous one: what was taken back before would only break again.
 */
export function knownGood(change: Change, rollout: Rollout, bad: ReadonlySet<string>): KnownGood {
  const current = rollout.revisions.find((revision) => revision.current);
  const older = rollout.revisions
    .filter((revision) => !revision.current && isOlder(revision, current, change))
    .filter((revision) => revision.version !== change.to || change.from === change.to)
    .sort((a, b) => Number(b.revision) - Number(a.revision) || b.createdAt - a.createdAt);
  const good = older.find(({ version }) => !bad.has(version));
  if (good !== undefined) return { version: good.version, revision: good.revision };
  if (older.length === 0)
    return { obstacle: `${change.service} keeps no earlier revision: there is nothing to go back to` };
  const tried = older.map(({ version }) => version).join(", ");
  return { obstacle: `every earlier version of ${change.service} was itself taken back: ${tried}` };
}

function isOlder(revision: Revision, current: Revision | undefined, change: Change): boolean {
  if (current === undefined) return revision.createdAt < change.startedAt;
  const [a, b] = [Number(revision.revision), Number(current.revision)];
  return Number.isFinite(a) && Number.isFinite(b) ? a < b : revision.createdAt < current.createdAt;
}
