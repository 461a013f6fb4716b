import type { Executor, Sources } from "../../core/ports.ts";
import { openDeployments, openFlags } from "./live-changes.ts";
import { openEvidence } from "./live-evidence.ts";
import { openMetrics } from "./live-metrics.ts";
import type { OpenContext, SourceReport, SystemParts } from "./system-parts.ts";

/** A live system behind the ports: what reads, what writes, what must be done once a step, and how to ask who is there. */
export interface LiveSystem {
  readonly sources: Sources;
  /** Empty unless asked for: only the process that holds the gate gets any. */
  readonly executors: readonly Executor[];
  /** Called before each look: scrapes, and looks at pods. What fails is a gap in what the sources then say. */
  readonly observe: (now: number, abort: AbortSignal) => Promise<void>;
  readonly report: (abort: AbortSignal) => Promise<readonly SourceReport[]>;
  readonly close: () => Promise<void>;
}

/** Opens every source that the configuration names. */
export async function openLiveSystem(context: OpenContext): Promise<LiveSystem> {
  const { dataSources, topology } = context.config;
  const parts: SystemParts = {
    sources: { metrics: [], changes: [], logs: [], traces: [], topology: [], flags: [], rollouts: [], alerts: [] },
    executors: [],
    observe: [],
    report: [],
    close: [],
  };
  await openMetrics(dataSources.metrics, context, parts);
  for (const source of dataSources.deployments) await openDeployments(source, context, parts);
  if (dataSources.featureFlags !== null) await openFlags(dataSources.featureFlags, context, parts);
  await openEvidence(context, parts);
  if (topology !== null) parts.sources.topology.push({ name: "configuration", topology: async () => topology });
  return {
    sources: parts.sources,
    executors: parts.executors,
    observe: async (now, abort) => {
      await Promise.allSettled(parts.observe.map((look) => look(now, abort)));
    },
    report: (abort) => Promise.all(parts.report.map((ask) => ask(abort))),
    close: async () => {
      await Promise.allSettled(parts.close.map((close) => close()));
    },
  };
}
