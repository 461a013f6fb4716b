import type { SharedChange } from "../correlation/shared-change.ts";
import type { Change } from "../model/change.ts";

/** What of one act of release goes back with its culprit. */
export interface ReleaseUndo {
  /** The culprit and the parts of affected services, the newest first: nothing goes back under what was built on it. */
  readonly changeIds: readonly string[];
  /** What people should know: parts that stay. */
  readonly notes: readonly string[];
}

/**
 * The parts of a release that its undo consists of: those whose services are affected, the culprit among them, together and
 * never one by one: services that were released together are tested together. A part of a healthy service stays, and that is
 * said. Where a part cannot go back by itself (a migration, or one that its source calls irreversible), the decision leaves the
 * release to people. null: the culprit is part of no release, or no other part is affected. Pure.
 */
export function undoRelease(
  culpritId: string,
  shared: readonly SharedChange[],
  changes: readonly Change[],
  affected: ReadonlySet<string>,
): ReleaseUndo | null {
  const release = shared.find(({ changeIds }) => changeIds.includes(culpritId));
  if (release === undefined) return null;
  const parts = release.changeIds.flatMap((id) => changes.find((one) => one.id === id) ?? []);
  const back = parts.filter(({ id, service }) => id === culpritId || affected.has(service));
  if (back.length < 2) return null;
  const stay = parts.filter((one) => !back.includes(one));
  return {
    changeIds: back.map(({ id }) => id).toReversed(),
    notes: [
      ...release.because,
      ...(stay.length === 0
        ? []
        : [
            `${stay.map(({ service }) => service).join(", ")} of the same release stay as they are: they are not affected`,
          ]),
    ],
  };
}
