import type { HistoryEntry, Workload } from "./history.ts";
import { entryOf, type Inventory, podsOf } from "./inventory.ts";
import { isComplete, replicasOf } from "./rollout-status.ts";

/** Remembers which revisions ever came up, since a cluster keeps no word of it once a revision was replaced. */
export interface ReadinessMemory {
  /** Looks at a workload now, and answers for each entry: true, false, or undefined where nobody looked in its time. */
  look(workload: Workload, inventory: Pick<Inventory, "pods">): (entry: HistoryEntry) => boolean | undefined;
}

/** As many as the timeline keeps stages. */
const SEEN_LIMIT = 100_000;

/**
 * A revision became ready when its rollout was complete at one look while it was the current one, and did not when
 * there were pods of it at some look and it was complete at none. A workload scaled to nothing tells neither.
 */
export function createReadinessMemory(): ReadinessMemory {
  const seen = new Map<string, boolean>();
  return {
    look(workload, inventory) {
      const { current, object } = workload;
      const key = (entry: HistoryEntry) => `${object.metadata.uid}:${entry.meta.uid}`;
      if (current !== null && seen.get(key(current)) !== true) {
        const has = podsOf(inventory, workload).some((pod) => entryOf(workload, pod) === current);
        if (has && replicasOf(workload).desired > 0) seen.set(key(current), isComplete(workload));
      }
      for (const oldest of seen.keys()) {
        if (seen.size <= SEEN_LIMIT) break;
        seen.delete(oldest);
      }
      return (entry) => seen.get(key(entry));
    },
  };
}
