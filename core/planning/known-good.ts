import type { Config } from "../config/config.ts";
import type { Change } from "../model/change.ts";
import type { Revision, Rollout } from "../model/evidence.ts";
import { durationText } from "../model/time.ts";

/** A version to restore; `skipped`: newer ones that it stands in for, each with the reason. */
export interface KnownGood {
  readonly version: string;
  readonly revision: string;
  readonly skipped: readonly string[];
}

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
 * How long a version must have served before it counts as known good, ms: until every policy condition had the time to
 * fire (its own `duration`), and for as long as a recovery may take to show (`feedback.timeout`), after which a later
 * change counts as confirmed healthy too.
 */
export function provenAfterMs({ policies, feedback }: Pick<Config, "policies" | "feedback">): number {
  const durations = policies.flatMap(({ conditions }) =>
    conditions.flatMap((one) => (one.kind === "threshold" ? [one.durationMs] : [])),
  );
  return Math.max(feedback.timeoutMs, ...durations);
}

/**
 * The latest revision older than the one that a change brought that has proved itself: it is not known to be bad, it
 * became ready as far as anyone saw, and it served for `provenMs`. Not merely the previous one: what was taken back
 * before, or replaced before anything could be seen of it, would only break again. A time that its source does not
 * tell proves nothing (S9).
 */
export function knownGood(
  change: Change,
  rollout: Rollout,
  bad: ReadonlySet<string>,
  provenMs: number,
): KnownGood | { readonly obstacle: string } {
  const current = rollout.revisions.find((revision) => revision.current);
  const older = rollout.revisions
    .filter((revision) => !revision.current && isOlder(revision, current, change))
    .filter((revision) => revision.version !== change.to || change.from === change.to)
    .sort((a, b) => Number(b.revision) - Number(a.revision) || b.createdAt - a.createdAt);
  const skipped: string[] = [];
  for (const revision of older) {
    const doubt = doubtAbout(revision, rollout, bad, provenMs);
    if (doubt === null) return { version: revision.version, revision: revision.revision, skipped };
    skipped.push(`${revision.version} (revision ${revision.revision}) ${doubt}`);
  }
  if (older.length === 0)
    return {
      obstacle: `no known-good version: ${change.service} keeps no earlier revision, there is nothing to restore`,
    };
  return { obstacle: `no known-good version of ${change.service}: ${skipped.join("; ")}` };
}

/** Why going back to a revision would be a guess, or null. */
function doubtAbout(
  revision: Revision,
  { revisions }: Rollout,
  bad: ReadonlySet<string>,
  provenMs: number,
): string | null {
  if (bad.has(revision.version)) return "was itself rolled back";
  if (revision.becameReady === false) return "never became ready";
  const served = revision.servedMs ?? servedByCreation(revision, revisions);
  if (served === null) return "served for a time that is not known";
  return served >= provenMs ? null : tooShort(served, provenMs);
}

/**
 * The same where changes alone are known: the version before this change, or before the one that brought that, and so
 * on back. One that no known change brought has served since before the record begins.
 */
export function knownGoodByChanges(
  change: Change,
  changes: readonly Change[],
  bad: ReadonlySet<string>,
  provenMs: number,
): KnownGood | { readonly obstacle: string } {
  const own = changes
    .filter(({ service, kind, from, to }) => service === change.service && kind !== "flag" && from !== to)
    .toSorted((a, b) => b.startedAt - a.startedAt);
  const skipped: string[] = [];
  for (let newer = change; ; ) {
    const brought = own.find(({ to, startedAt }) => to === newer.from && startedAt < newer.startedAt);
    const served = brought === undefined ? null : newer.startedAt - brought.startedAt;
    const short = served !== null && served < provenMs ? tooShort(served, provenMs) : null;
    const doubt = bad.has(newer.from) ? "was itself rolled back" : newer.from === "" ? "has no name" : short;
    if (doubt === null && (newer.from !== change.to || newer === change))
      return { version: newer.from, revision: newer.fromRevision ?? "", skipped };
    if (doubt !== null) skipped.push(`${newer.from} ${doubt}`);
    if (brought === undefined)
      return { obstacle: `no known-good version of ${change.service}: ${skipped.join("; ") || "no other is known"}` };
    newer = brought;
  }
}

const tooShort = (servedMs: number, provenMs: number): string =>
  `served for ${durationText(servedMs)} only, and ${durationText(provenMs)} are needed to tell`;

/**
 * How long a revision served where its source tells creation times alone: until the next one was made. Null where one
 * of them was made before what it follows, which is a revision that came back: its creation says nothing then.
 */
function servedByCreation(revision: Revision, revisions: readonly Revision[]): number | null {
  const inOrder = revisions.toSorted((a, b) => Number(a.revision) - Number(b.revision));
  const place = inOrder.indexOf(revision);
  const next = inOrder[place + 1];
  const before = inOrder.slice(0, place + 1).map(({ createdAt }) => createdAt);
  if (next === undefined || next.createdAt < revision.createdAt || Math.max(...before) > revision.createdAt)
    return null;
  return next.createdAt - revision.createdAt;
}

function isOlder(revision: Revision, current: Revision | undefined, change: Change): boolean {
  if (current === undefined) return revision.createdAt < change.startedAt;
  const [a, b] = [Number(revision.revision), Number(current.revision)];
  return Number.isFinite(a) && Number.isFinite(b) ? a < b : revision.createdAt < current.createdAt;
}
