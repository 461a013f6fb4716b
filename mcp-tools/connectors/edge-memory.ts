import { UnshipError } from "../../core/errors.ts";
import type { Gap } from "../../core/model/assessment.ts";
import type { KnownEdge, Topology } from "../../core/model/evidence.ts";
import { edgeKey } from "../../core/model/seen-edge.ts";
import type { Clock, TopologySource } from "../../core/ports.ts";

export interface EdgeMemoryOptions {
  readonly name: string;
  readonly clock: Clock;
  /** What the source shows at the moment: of every edge with what is known of it. Throws as clients do. */
  readonly read: (abort: AbortSignal) => Promise<Topology>;
  /** How long an edge stays known that no later reading shows, ms. 0: a reading is all that there is. Default `KEEP_MS`. */
  readonly keepMs?: number;
  /** How long a reading stands before the source is asked again, ms. Default `REREAD_MS`. */
  readonly rereadMs?: number;
}

export interface RememberedTopology extends TopologySource {
  /** What the last reading could not see. Empty where it saw, or was never asked. */
  readonly lacks: () => readonly Gap[];
}

/** A week: the longest cycle that traffic usually has. An edge that was not used in it is not used any more. */
const KEEP_MS = 7 * 86_400_000;
/** A minute: call graphs change with deploys, which take longer. */
const REREAD_MS = 60_000;

/**
 * A call graph learned over time: what each reading shows is kept as long as the process lives, until it is older than
 * `keepMs`. A source that fails leaves what was learned before, its traffic as old as it is; where nothing was, it
 * throws.
 */
export function rememberedTopology(options: EdgeMemoryOptions): RememberedTopology {
  const { name, clock, read, keepMs = KEEP_MS, rereadMs = REREAD_MS } = options;
  const edges = new Map<string, { readonly edge: KnownEdge; readonly seenAt: number }>();
  const external = new Map<string, number>();
  const reporting = new Map<string, number>();
  let readAt: number | null = null;
  let failed: UnshipError | null = null;

  function take(seen: Topology, now: number): void {
    for (const edge of seen.details ?? []) {
      const key = edgeKey(edge.caller, edge.callee);
      const before = edges.get(key)?.edge;
      const confidence = Math.max(edge.confidence, before?.confidence ?? 0);
      const traffic = edge.traffic ?? before?.traffic;
      edges.set(key, { edge: { ...edge, confidence, ...(traffic === undefined ? {} : { traffic }) }, seenAt: now });
      // A node that is outside no longer is not remembered as such.
      for (const node of [edge.caller, edge.callee]) external.delete(node);
    }
    for (const node of seen.reporting ?? []) {
      reporting.set(node, now);
      external.delete(node);
    }
    for (const node of seen.external) external.set(node, now);
    for (const [key, { seenAt }] of edges) if (now - seenAt > keepMs) edges.delete(key);
    for (const nodes of [external, reporting])
      for (const [node, seenAt] of nodes) if (now - seenAt > keepMs) nodes.delete(node);
  }

  function known(): Topology {
    const details = [...edges.values()].map(({ edge }) => edge).sort(byName);
    return {
      edges: details.map(({ caller, callee }) => [caller, callee] as const),
      external: [...external.keys()].sort(),
      details,
      reporting: [...reporting.keys()].sort(),
    };
  }

  return {
    name,
    async topology(abort) {
      const now = clock.now();
      const isFresh = readAt !== null && now >= readAt && now - readAt < rereadMs;
      // Where nothing is known yet, each moment may bring the first edge.
      if (isFresh && edges.size > 0) return known();
      try {
        take(await read(abort), now);
        readAt = now;
        failed = null;
      } catch (error) {
        if (!(error instanceof UnshipError)) throw error;
        failed = error;
        if (readAt === null) throw error;
      }
      return known();
    },
    lacks: () =>
      failed === null
        ? []
        : [{ of: "topology", how: "unanswered", source: name, what: "topology", because: failed.message }],
  };
}

const byName = (a: KnownEdge, b: KnownEdge): number =>
  edgeKey(a.caller, a.callee) < edgeKey(b.caller, b.callee) ? -1 : 1;
