import type { AssessOptions } from "../../core/assessment/assess.ts";
import { degradedSpans } from "../../core/assessment/before.ts";
import { pastOutcomes } from "../../core/correlation/past-outcomes.ts";
import { pastOnsets } from "../../core/correlation/recurrence.ts";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import { asTheyTurnedOut } from "../../core/guardrails/refuted.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import type { Ledger } from "../../core/ports.ts";

/** What earlier incidents say of changes and versions. The same ledger gives it to whoever decides (S1). */
export type Past = Required<AssessOptions>;
export const NO_PAST: Past = { past: new Map(), pastBad: new Map(), alone: [], earlier: [] };

/** So many judged incidents are looked at: a version that was bad before them has long been replaced. */
const LOOK_BACK = 500;

/** Reads it from the ledger, as it stands now. */
export async function pastOf(ledger: Pick<Ledger, "incidents" | "entries">): Promise<Past> {
  const open = (await ledger.incidents({ open: true })).filter(isResidual);
  const incidents = asTheyTurnedOut([...open, ...(await ledger.incidents({ open: false, limit: LOOK_BACK }))]);
  const healthy = await ledger.entries({ kinds: [LEDGER_KINDS.changeHealthy] });
  return {
    past: pastOutcomes(
      incidents,
      healthy.map(({ body }) => body),
    ),
    pastBad: badVersions(incidents),
    alone: pastOnsets(incidents),
    earlier: degradedSpans(incidents),
  };
}

/**
 * Versions that were taken back with success, by service: what was proven bad once is no known-good version to restore.
 * A rollback that did not help proves nothing about the version that it took back.
 */
function badVersions(incidents: readonly Incident[]): Past["pastBad"] {
  const bad = new Map<string, Set<string>>();
  for (const { outcome, gate } of incidents) {
    if (outcome !== "recovered") continue;
    for (const { target, result } of gate?.results ?? []) {
      if (result !== "done" || target.action === "feature_flag_disable") continue;
      const versions = bad.get(target.service) ?? new Set();
      bad.set(target.service, versions.add(target.expected.version));
    }
  }
  return bad;
}
