import type { Gap } from "../../core/model/assessment.ts";
import { withoutSecrets } from "../../core/model/secrets/deep.ts";
import type { Executor, Patience, Sources } from "../../core/ports.ts";
import { believing } from "./believing.ts";
import { ANSWER_MS, withDeadlines } from "./deadlines.ts";
import { openDeployments } from "./live-changes.ts";
import { openEvidence } from "./live-evidence.ts";
import { openFlags } from "./live-flags.ts";
import { openMetrics } from "./live-metrics.ts";
import { openMigrations } from "./live-migrations.ts";
import { createObserving } from "./observers.ts";
import type { OpenContext, SourceReport, SystemParts } from "./system-parts.ts";
import { executorWithoutSecrets, sourcesWithoutSecrets } from "./without-secrets.ts";

/** A live system behind the ports: what reads, what writes, what must be done once a step, and how to ask who is there. */
export interface LiveSystem {
  readonly sources: Sources;
  /** Empty unless asked for: only the process that holds the gate gets any. */
  readonly executors: readonly Executor[];
  /** Called before each look: scrapes, and looks at pods. Never throws for what it looks at; see `gaps`. */
  readonly observe: (now: number, abort: AbortSignal, patience?: Patience) => Promise<void>;
  /** What the last `observe` could not see, and what sources left out of their last answers: it is unknown (S9). */
  readonly gaps: () => readonly Gap[];
  readonly report: (abort: AbortSignal) => Promise<readonly SourceReport[]>;
  readonly close: () => Promise<void>;
}

/** Opens every source that the configuration names. */
export async function openLiveSystem(context: OpenContext): Promise<LiveSystem> {
  const { dataSources, topology } = context.config;
  const parts: SystemParts = {
    sources: {
      metrics: [],
      changes: [],
      logs: [],
      traces: [],
      topology: [],
      flags: [],
      rollouts: [],
      alerts: [],
      infrastructure: [],
    },
    executors: [],
    observe: [],
    lacks: [],
    report: [],
    close: [],
  };
  await openMetrics(dataSources.metrics, context, parts);
  for (const source of dataSources.deployments) await openDeployments(source, context, parts);
  if (dataSources.featureFlags !== null) await openFlags(dataSources.featureFlags, context, parts);
  if (dataSources.migrations.length > 0) await openMigrations(dataSources.migrations, context, parts);
  await openEvidence(context, parts);
  if (topology !== null) parts.sources.topology.push({ name: "configuration", topology: async () => topology });
  const observing = createObserving(parts.observe);
  return {
    sources: sourcesWithoutSecrets(
      withDeadlines({ ...parts.sources, metrics: believing(parts.sources.metrics) }, ANSWER_MS),
    ),
    executors: parts.executors.map(executorWithoutSecrets),
    observe: observing.observe,
    gaps: () => withoutSecrets([...observing.gaps(), ...parts.lacks.flatMap((lacks) => lacks())], false),
    report: (abort) => Promise.all(parts.report.map((ask) => ask(abort))),
    close: async () => {
      await Promise.allSettled(parts.close.map((close) => close()));
    },
  };
}
