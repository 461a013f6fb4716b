import type { Grid, PlannedChange, Step } from "./model.ts";

/** Which versions serve in a cell: the positions of the deploys that the older and the newer one contain, and the newer one's share. */
export interface Versions {
  /** Deploys of the service, oldest first; position −1 is what ran before all of them. */
  readonly deploys: readonly PlannedChange[];
  /** For each cell, the position of the newer version; the older one is one less. */
  readonly newer: Int16Array;
  /** Share of the newer version, 0–1. */
  readonly share: Float64Array;
  /** Share of the newer version's pods that started within the warm-up. */
  readonly fresh: Float64Array;
  /** Share of all pods replaced in the cell. */
  readonly replaced: Float64Array;
}

/** The share of a deploy's version at a time: a staircase, as pods are replaced batch by batch. */
export function shareAt({ shares }: { readonly shares: readonly Step[] }, at: number): number {
  let share = 0;
  for (const step of shares) {
    if (step.at > at) break;
    share = step.share;
  }
  return share;
}

/** The versions of one service over a grid. `without`: changes that never happened. */
export function versionsOf(
  service: string,
  changes: readonly PlannedChange[],
  without: ReadonlySet<string>,
  grid: Grid,
  warmUpMs: number,
): Versions {
  const deploys = changes
    .filter((change) => change.kind === "deploy" && change.service === service && !without.has(change.id))
    .sort((a, b) => a.startedAt - b.startedAt);
  const newer = new Int16Array(grid.length);
  const [share, fresh, replaced] = [
    new Float64Array(grid.length),
    new Float64Array(grid.length),
    new Float64Array(grid.length),
  ];
  let position = -1;
  for (let cell = 0; cell < grid.length; cell++) {
    const end = grid.start + cell * grid.stepMs;
    while ((deploys[position + 1]?.startedAt ?? Number.POSITIVE_INFINITY) <= end) position++;
    newer[cell] = position;
    const deploy = deploys[position];
    if (deploy === undefined) {
      share[cell] = 1;
      continue;
    }
    const now = shareAt(deploy, end - grid.stepMs / 2);
    const before = shareAt(deploy, end - grid.stepMs * 1.5);
    share[cell] = now;
    replaced[cell] = Math.abs(now - before);
    fresh[cell] = now === 0 ? 0 : Math.max(0, now - shareAt(deploy, end - grid.stepMs / 2 - warmUpMs)) / now;
  }
  return { deploys, newer, share, fresh, replaced };
}

/** The name of the version at a position of the service's deploys. */
export function versionName(versions: Versions, position: number, fallback: string): string {
  return versions.deploys[position]?.to ?? versions.deploys[position + 1]?.from ?? fallback;
}
