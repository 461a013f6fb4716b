import { ChangeKind } from "../model/change.ts";
import type { Incident } from "../model/incident.ts";
import { takesBack } from "../model/plan.ts";

/**
 * How often changes like these were to blame before; key `service/kind`. `changes`: those that were taken back or proved
 * healthy after a rollback of their service, `bad`: those of them whose rollback brought recovery.
 */
export type PastOutcomes = ReadonlyMap<string, { readonly changes: number; readonly bad: number }>;

export const pastKey = (service: string, kind: string): string => `${service}/${kind}`;

/** A later change that proved healthy, as the ledger's entry says it. Entries that name no kind speak of deploys. */
interface Healthy {
  readonly service: string;
  readonly changeId: string;
  readonly kind: string;
}

/**
 * What came of the acts of judged incidents, and of what followed them. Only what the gate did and saw counts: not what
 * was merely proposed, suspected or said, and no act that takes nothing back. Each change counts once; it was bad where
 * any rollback of it brought recovery. `healthy`: bodies of the ledger's entries on changes that proved healthy.
 */
export function pastOutcomes(
  incidents: readonly Pick<Incident, "outcome" | "gate" | "changes">[],
  healthy: readonly unknown[],
): PastOutcomes {
  const judged = new Map<string, { readonly key: string; readonly bad: boolean }>();
  for (const { service, changeId, kind } of healthy.flatMap((body) => healthyIn(body) ?? []))
    judged.set(changeId, { key: pastKey(service, kind), bad: false });
  for (const { outcome, gate, changes } of incidents) {
    if (outcome !== "recovered" && outcome !== "not-recovered") continue; // what nobody could tell says nothing
    for (const { target, result } of gate?.results ?? []) {
      if (result !== "done" || !takesBack({ targets: [target] })) continue;
      const { service, changeId, action } = target;
      const kind =
        changes.find(({ id }) => id === changeId)?.kind ?? (action === "feature_flag_disable" ? "flag" : "deploy");
      const bad = outcome === "recovered" || judged.get(changeId)?.bad === true;
      judged.set(changeId, { key: pastKey(service, kind), bad });
    }
  }
  const past = new Map<string, { changes: number; bad: number }>();
  for (const { key, bad } of judged.values()) {
    const seen = past.get(key) ?? { changes: 0, bad: 0 };
    past.set(key, { changes: seen.changes + 1, bad: seen.bad + (bad ? 1 : 0) });
  }
  return past;
}

function healthyIn(body: unknown): Healthy | null {
  if (typeof body !== "object" || body === null) return null;
  const { service, changeId, kind } = body as Partial<Record<keyof Healthy, unknown>>;
  if (typeof service !== "string" || typeof changeId !== "string") return null;
  const known = ChangeKind.safeParse(kind ?? "deploy");
  return known.success ? { service, changeId, kind: known.data } : null;
}
