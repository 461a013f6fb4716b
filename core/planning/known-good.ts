import type { Change } from "../model/change.ts";
import type { Revision, Rollout } from "../model/evidence.ts";

/** A version to restore, or why there is none. */
export type KnownGood = { readonly version: string; readonly revision: string } | { readonly obstacle: string };

/** A version that was replaced by an older one this soon was taken back, whatever they called it. */
const TAKEN_BACK_MS = 3_600_000;

/**
 * Versions of a service that did not do well: taken back by us, or by people within the hour of their deploy. Going
 * back means going to a version that was seen before; everything that came after it, and stood for less than an hour,
 * was taken back with it. Deploying the newer one again takes nothing back.
 * `past`: versions with a bad outcome in earlier incidents.
 */
export function badVersions(
  service: string,
  changes: readonly Change[],
  past: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const bad = new Set(past);
  // A change of the template that leaves the version as it is says nothing of the version.
  const own = changes
    .filter((change) => change.service === service && change.kind !== "flag" && change.from !== change.to)
    .toSorted((a, b) => a.startedAt - b.startedAt);
  const seen = [...new Set(own.flatMap(({ from, to }) => [from, to]))];
  const age = (version: string) => seen.indexOf(version);
  for (const change of own) {
    if (change.ownRollback === true) bad.add(change.from);
    if (age(change.to) >= age(change.from)) continue;
    for (const earlier of own) {
      const soon = earlier.startedAt < change.startedAt && change.startedAt - earlier.startedAt < TAKEN_BACK_MS;
      if (soon && age(earlier.to) > age(change.to)) bad.add(earlier.to);
    }
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
