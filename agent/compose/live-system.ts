import { UnshipError } from "../../core/errors.ts";
import type { Gap } from "../../core/model/assessment.ts";
import { withoutSecrets } from "../../core/model/secrets/deep.ts";
import type { Executor, Patience, Sources } from "../../core/ports.ts";
import { believing } from "./believing.ts";
import { onThisClock } from "./clocks-ahead.ts";
import { ANSWER_MS, withDeadlines } from "./deadlines.ts";
import { openDeployments } from "./live-changes.ts";
import { openEvidence } from "./live-evidence.ts";
import { openFlags } from "./live-flags.ts";
import { openMetrics } from "./live-metrics.ts";
import { openMigrations } from "./live-migrations.ts";
import { createObserving } from "./observers.ts";
import type { OpenContext, SourceReport, SystemParts, Tells } from "./system-parts.ts";
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
  readonly tells: Tells;
  readonly close: () => Promise<void>;
}

/** Opens every source that the configuration names. */
export async function openLiveSystem(context: OpenContext): Promise<LiveSystem> {
  const { dataSources, topology, watch } = context.config;
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
      commits: [],
    },
    executors: [],
    observe: [],
    lacks: [],
    report: [],
    tells: { workloads: [], namespaces: [], applications: [], flags: [], metrics: [] },
    close: [],
  };
  const { metrics, deployments, featureFlags, migrations } = dataSources;
  const open = opening(context, parts);
  await open(metrics.type, [], () => openMetrics(metrics, context, parts));
  for (const source of deployments) {
    const lost = source.type === "kubernetes" ? (["workloads", "namespaces"] as const) : (["applications"] as const);
    await open(source.type === "kubernetes" ? "kubernetes" : "argocd", lost, () =>
      openDeployments(source, context, parts),
    );
  }
  if (featureFlags !== null) await open(featureFlags.type, ["flags"], () => openFlags(featureFlags, context, parts));
  if (migrations.length > 0) await open("migrations", [], () => openMigrations(migrations, context, parts));
  await openEvidence(context, parts);
  if (topology !== null) parts.sources.topology.push({ name: "configuration", topology: async () => topology });
  const { changes, lacks } = onThisClock(parts.sources.changes, { now: context.clock.now, stepMs: watch.stepMs });
  parts.lacks.push(lacks);
  const observing = createObserving(parts.observe);
  return {
    sources: sourcesWithoutSecrets(
      withDeadlines({ ...parts.sources, changes, metrics: believing(parts.sources.metrics) }, ANSWER_MS),
    ),
    executors: parts.executors.map(executorWithoutSecrets),
    observe: observing.observe,
    tells: parts.tells,
    gaps: () => withoutSecrets([...observing.gaps(), ...parts.lacks.flatMap((lacks) => lacks())], false),
    report: (abort) => Promise.all(parts.report.map((ask) => ask(abort))),
    close: async () => {
      await Promise.allSettled(parts.close.map((close) => close()));
    },
  };
}

/**
 * Opens one source. Where the context is lenient, one that cannot be opened is reported as down, and what it would tell
 * (`lost`) is unknown; else it is thrown, since a watch must not start half blind (S8).
 */
function opening({ lenient = false }: OpenContext, parts: SystemParts) {
  return async (
    name: string,
    lost: readonly ("workloads" | "namespaces" | "applications" | "flags")[],
    open: () => Promise<void>,
  ): Promise<void> => {
    try {
      await open();
    } catch (error) {
      if (!lenient || !(error instanceof UnshipError)) throw error;
      const fails = () => Promise.reject(error);
      parts.report.push(async () => ({ ok: false, text: `${name}: ${error.message}` }));
      for (const kind of lost) parts.tells[kind].push(fails);
    }
  };
}
