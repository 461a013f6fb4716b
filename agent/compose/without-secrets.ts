import type { TargetResult } from "../../core/model/plan.ts";
import { recordWithoutSecrets, textWithout, withoutSecrets } from "../../core/model/secrets/deep.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Executor, Sources } from "../../core/ports.ts";

type Source<K extends keyof Sources> = NonNullable<Sources[K]>[number];

/**
 * Where text of others enters: each answer of each source without the secrets that people and programs write into change
 * causes, commit messages, log lines, labels and annotations (S10). What stands behind it (ledger, incident store, bundles,
 * notices, answers, postmortems) never sees them. A kind of source that is missing here does not compile.
 */
const OF: { readonly [K in keyof Required<Sources>]: (source: Source<K>) => Source<K> } = {
  metrics: (one) => ({
    name: one.name,
    metrics: () => one.metrics(),
    range: async (query, abort) => (await one.range(query, abort)).map(ofSeries),
  }),
  changes: (one) => ({ name: one.name, changes: async (window, abort) => texts(await one.changes(window, abort)) }),
  logs: (one) => ({ name: one.name, search: async (query, abort) => texts(await one.search(query, abort)) }),
  traces: (one) => ({ name: one.name, spans: async (query, abort) => texts(await one.spans(query, abort)) }),
  topology: (one) => ({ name: one.name, topology: async (abort) => texts(await one.topology(abort)) }),
  flags: (one) => ({ name: one.name, flags: async (abort) => texts(await one.flags(abort)) }),
  rollouts: (one) => ({ name: one.name, rollouts: async (abort) => texts(await one.rollouts(abort)) }),
  // Labels and annotations have names that people gave them, and that may say what their values are.
  alerts: (one) => ({
    name: one.name,
    alerts: async (window, abort) => withoutSecrets(await one.alerts(window, abort), true),
  }),
  infrastructure: (one) => ({
    name: one.name,
    infrastructure: async (window, abort) => texts(await one.infrastructure(window, abort)),
  }),
  commits: (one) => ({ name: one.name, commits: async (change, abort) => texts(await one.commits(change, abort)) }),
};

/** Fields are named by us, or by services: their names say nothing of their values. What identifies a thing stays. */
const texts = <T>(answer: T): T => recordWithoutSecrets(answer);

/** Names and labels alone: samples are numbers, and many. */
function ofSeries(series: Series): Series {
  const { service, labels } = texts({ service: series.service, labels: series.labels });
  return service === series.service && labels === series.labels ? series : { ...series, service, labels };
}

/** The same sources, whose answers hold no secrets; see `OF`. */
export function sourcesWithoutSecrets(sources: Sources): Sources {
  const { infrastructure, commits } = sources;
  return {
    metrics: sources.metrics.map(OF.metrics),
    changes: sources.changes.map(OF.changes),
    logs: sources.logs.map(OF.logs),
    traces: sources.traces.map(OF.traces),
    topology: sources.topology.map(OF.topology),
    flags: sources.flags.map(OF.flags),
    rollouts: sources.rollouts.map(OF.rollouts),
    alerts: sources.alerts.map(OF.alerts),
    ...(infrastructure === undefined ? {} : { infrastructure: infrastructure.map(OF.infrastructure) }),
    ...(commits === undefined ? {} : { commits: commits.map(OF.commits) }),
  };
}

/**
 * The same executor, in whose words about a target no secret stands. Targets, versions and revisions stay as they are: what is
 * acted on is compared byte by byte.
 */
export function executorWithoutSecrets(one: Executor): Executor {
  const told = (result: TargetResult): TargetResult => ({
    ...result,
    detail: textWithout(result.detail),
    warnings: result.warnings.map(textWithout),
  });
  const { arrived } = one;
  return {
    action: one.action,
    ...(one.executeTimeoutMs === undefined ? {} : { executeTimeoutMs: one.executeTimeoutMs }),
    inspect: async (target, abort) => {
      const { version, revision, reaches, touches, ...said } = await one.inspect(target, abort);
      const named = { ...(reaches === undefined ? {} : { reaches }), ...(touches === undefined ? {} : { touches }) };
      return { ...texts(said), version, revision, ...named };
    },
    dryRun: async (target, abort) => told(await one.dryRun(target, abort)),
    execute: async (target, key, abort) => told(await one.execute(target, key, abort)),
    reconcile: async (target, key, abort) => told(await one.reconcile(target, key, abort)),
    ...(arrived === undefined
      ? {}
      : {
          arrived: async (target, abort) => {
            const { state, detail } = await arrived.call(one, target, abort);
            return { state, detail: textWithout(detail) };
          },
        }),
  };
}
