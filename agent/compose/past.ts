import type { Ledger } from "../../core/ports.ts";

export type BadVersions = ReadonlyMap<string, ReadonlySet<string>>;

/** So many closed incidents are looked at: a version that was bad before them has long been replaced. */
const LOOK_BACK = 500;

/**
 * Versions that were taken back with success, by service: what was proven bad once is no known-good version to restore.
 * A rollback that did not help proves nothing about the version that it took back.
 */
export async function badVersions(ledger: Pick<Ledger, "incidents">): Promise<BadVersions> {
  const bad = new Map<string, Set<string>>();
  for (const { outcome, gate } of await ledger.incidents({ open: false, limit: LOOK_BACK })) {
    if (outcome !== "recovered") continue;
    for (const { target, result } of gate?.results ?? []) {
      if (result !== "done" || target.action === "feature_flag_disable") continue;
      const versions = bad.get(target.service) ?? new Set();
      bad.set(target.service, versions.add(target.expected.version));
    }
  }
  return bad;
}
