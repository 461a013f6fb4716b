import { oneDeploy } from "../../core/correlation/one-deploy.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Gap, GapKind } from "../../core/model/assessment.ts";
import type { Change } from "../../core/model/change.ts";
import type { Alert, FlagState, Revision, Rollout, Topology } from "../../core/model/evidence.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Window } from "../../core/model/time.ts";
import { isOfChanges } from "../../core/model/unheard.ts";
import type { Clock, MetricQuery, Sources } from "../../core/ports.ts";
import type { Bundle } from "./bundle.ts";

/**
 * A bundle behind the connectors' ports, on a virtual clock: nothing later than the clock's now is ever seen.
 * `taken`: changes that the replay has taken back; what runs afterwards is their `from`.
 */
export function bundleSources(bundle: Bundle, clock: Clock, taken: ReadonlyMap<string, number>): Sources {
  const name = "bundle";
  const seen = <T>(items: readonly T[], at: (item: T) => number, { from, to }: Window): readonly T[] => {
    const end = Math.min(to, clock.now());
    return items.slice(
      firstWhere(items, (item) => at(item) >= from),
      firstWhere(items, (item) => at(item) > end),
    );
  };
  const byMetric = Map.groupBy(bundle.series, ({ metric }) => metric);
  return {
    metrics: [
      {
        name,
        metrics: () => [...byMetric.keys()],
        range: async (query) =>
          (byMetric.get(query.metric) ?? []).flatMap((series) => slice(series, query, clock.now())),
      },
      ...unanswered(bundle, "metrics").flatMap(({ source, metric }) =>
        metric === undefined ? [] : [{ name: source, metrics: () => [metric], range: () => down(source) }],
      ),
    ],
    changes: [
      {
        name,
        changes: async ({ from, to }) => {
          const now = clock.now();
          return [...bundle.changes, ...ownRollbacks(bundle, taken)]
            .filter(({ startedAt, finishedAt }) => startedAt <= Math.min(to, now) && (finishedAt ?? now) >= from)
            .map((change) => asOf(change, now))
            .sort((a, b) => a.startedAt - b.startedAt);
        },
      },
      ...unanswered(bundle, "changes").map(({ source }) => ({ name: source, changes: () => down(source) })),
    ],
    ...(bundle.infrastructure === undefined
      ? {}
      : {
          infrastructure: [
            {
              name,
              infrastructure: async ({ from, to }) => {
                const now = clock.now();
                return (bundle.infrastructure ?? [])
                  .filter(({ startedAt, finishedAt }) => startedAt <= Math.min(to, now) && (finishedAt ?? now) >= from)
                  .map((one) => asOf(one, now));
              },
            },
          ],
        }),
    ...(bundle.commits === undefined
      ? {}
      : {
          commits: [
            {
              name,
              // A change that is not seen yet has no commits either.
              commits: async ({ id, startedAt }) => (startedAt > clock.now() ? [] : (bundle.commits?.get(id) ?? [])),
            },
          ],
        }),
    logs:
      bundle.logs.length === 0
        ? []
        : [
            {
              name,
              search: async ({ window, services, levels, text, limit }) => {
                const there = seen(bundle.logs, ({ at }) => at, window);
                const isAll = services === undefined && levels === undefined && text === undefined;
                const all = isAll
                  ? there
                  : there.filter(
                      (line) =>
                        (services === undefined || services.includes(line.service)) &&
                        (levels === undefined || levels.includes(line.level)) &&
                        (text === undefined || line.message.includes(text)),
                    );
                return { lines: all.slice(Math.max(0, all.length - limit)).reverse(), more: all.length > limit };
              },
            },
          ],
    traces:
      bundle.spans.length === 0
        ? []
        : [
            {
              name,
              spans: async ({ window, services, errorsOnly, limit }) => {
                const now = clock.now();
                const all = seen(bundle.spans, ({ startUs }) => startUs / 1000, window).filter(
                  (span) =>
                    (span.startUs + span.durationUs) / 1000 <= now &&
                    (services === undefined || services.includes(span.service)) &&
                    (errorsOnly !== true || span.error),
                );
                return {
                  spans: all.toSorted((a, b) => Number(b.error) - Number(a.error)).slice(0, limit),
                  more: all.length > limit,
                };
              },
            },
          ],
    topology:
      bundle.topology === null
        ? []
        : [{ name, topology: async () => topologyAt(bundle.topology ?? { edges: [], external: [] }, clock.now()) }],
    flags: [{ name, flags: async () => flagsAt(bundle, clock.now(), taken) }],
    rollouts: [{ name, rollouts: async () => rolloutsAt(bundle, clock.now(), taken) }],
    alerts: [
      {
        name,
        alerts: async (window) => {
          const now = clock.now();
          return seen(bundle.alerts, ({ startsAt }) => startsAt, window).map((alert) => alertAsOf(alert, now));
        },
      },
    ],
  };
}

/** The place of the first item that `holds` of, where it holds of all after it; the length where of none. */
function firstWhere<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && holds(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Sources that did not answer when it was recorded: what they would have said is as unknown in the replay. */
const unanswered = ({ gaps }: Bundle, of: GapKind): readonly Gap[] =>
  gaps.filter((gap) => gap.of === of && gap.how === "unanswered");

/**
 * What sources of changes left out of every answer, or nobody was configured to say: as unknown at each moment of the replay.
 * What was missing of samples is missing in its series, when it was.
 */
export const standingGaps = ({ gaps }: Bundle): readonly Gap[] =>
  gaps.filter((gap) => isOfChanges(gap) && gap.how !== "unanswered");

async function down(source: string): Promise<never> {
  throw new UnshipError("source.unavailable", { source, reason: "it was down when this was recorded" });
}

/** The part of a series inside the window and not later than now; nothing where that part is empty. */
function slice(series: Series, { window }: MetricQuery, now: number): readonly Series[] {
  const first = Math.max(0, Math.ceil((window.from - series.startAt) / series.stepMs));
  const last = Math.min(
    series.values.length - 1,
    Math.floor((Math.min(window.to, now) - series.startAt) / series.stepMs),
  );
  if (last < first) return [];
  return [{ ...series, startAt: series.startAt + first * series.stepMs, values: series.values.slice(first, last + 1) }];
}

/** What the replay has taken back, as a live system would tell it: a change of its own, and ours (S13). Done at once. */
function ownRollbacks(bundle: Bundle, taken: ReadonlyMap<string, number>): readonly Change[] {
  return bundle.changes.flatMap((change) => {
    const at = taken.get(change.id);
    if (at === undefined) return [];
    const { id, kind, service, from, to, flag, environment, workload } = change;
    return [
      {
        id: `${id}:back`,
        kind,
        service,
        from: to,
        to: from,
        startedAt: at,
        finishedAt: at,
        source: "unship",
        reversible: true,
        ownRollback: true,
        ...(flag === undefined ? {} : { flag }),
        ...(environment === undefined ? {} : { environment }),
        ...(workload === undefined ? {} : { workload }),
      },
    ];
  });
}

/** A change as it could be known then: a finish that lies ahead is not known yet. */
function asOf<C extends { readonly finishedAt: number | null }>(change: C, now: number): C {
  return change.finishedAt !== null && change.finishedAt > now ? { ...change, finishedAt: null } : change;
}

/** An alert as it stood then: one that ends later still fires, and nobody knows until when. */
function alertAsOf(alert: Alert, now: number): Alert {
  if (alert.endsAt === undefined || alert.endsAt <= now) return alert;
  const { endsAt: _, ...known } = alert;
  return { ...known, status: "firing" };
}

function flagsAt(bundle: Bundle, now: number, taken: ReadonlyMap<string, number>): readonly FlagState[] {
  const states = new Map<string, FlagState>();
  for (const change of bundle.changes) {
    if (change.kind !== "flag" || change.startedAt > now) continue;
    const key = change.flag ?? change.id;
    const back = taken.has(change.id);
    states.set(key, {
      key,
      environment: change.environment ?? environmentOf(bundle, change.service),
      enabled: (back ? change.from : change.to) !== "off",
      version: back ? `${change.id}:back` : change.id,
      services: [change.service],
      changedAt: taken.get(change.id) ?? change.startedAt,
    });
  }
  return [...states.values()];
}

function environmentOf(bundle: Bundle, service: string): string {
  return bundle.incident.services.find(({ name }) => name === service)?.namespace ?? "production";
}

/** What runs, as the deploys so far say: a bundle holds no cluster, so a finished deploy is taken to be complete. */
function rolloutsAt(bundle: Bundle, now: number, taken: ReadonlyMap<string, number>): readonly Rollout[] {
  return bundle.incident.services.flatMap(({ name, namespace }) => {
    // What two sources told of is one revision.
    const deploys = oneDeploy(bundle.changes).filter(
      ({ kind, service, startedAt }) => kind === "deploy" && service === name && startedAt <= now,
    );
    const last = deploys.at(-1);
    if (last === undefined) return [];
    const revisions = revisionsOf(
      deploys.map((deploy) => asOf(deploy, now)),
      taken,
    );
    const current = revisions.at(-1);
    if (current === undefined) return [];
    const replicas = { desired: 1, updated: 1, ready: 1, available: 1 };
    return [
      {
        service: name,
        workload: { kind: "Deployment", namespace, name },
        version: current.version,
        revision: current.revision,
        status: (last.finishedAt ?? now) > now ? "progressing" : "complete",
        replicas,
        restarts: 0,
        revisions: revisions.map((revision) => ({ ...revision, current: revision === current })),
        observedAt: now,
        startedAt: current.createdAt,
      } satisfies Rollout,
    ];
  });
}

function revisionsOf(deploys: readonly Change[], taken: ReadonlyMap<string, number>): readonly Revision[] {
  const steps: { version: string; createdAt: number }[] = [];
  const push = (version: string, createdAt: number) => {
    if (steps.at(-1)?.version !== version) steps.push({ version, createdAt });
  };
  let before = 0;
  for (const deploy of deploys) {
    push(deploy.from, before);
    push(deploy.to, deploy.startedAt);
    const back = taken.get(deploy.id);
    if (back !== undefined) push(deploy.from, back);
    before = deploy.finishedAt ?? deploy.startedAt;
  }
  return steps.map(({ version, createdAt }, index) => ({
    revision: String(index + 1),
    version,
    createdAt,
    current: false,
  }));
}

/**
 * The call graph as it would have been read at `now`. A recording holds it once, as it was at its end: what had traffic
 * then is taken to have had it all along, but never to have been measured later than now.
 */
function topologyAt(topology: Topology, now: number): Topology {
  if (topology.details === undefined) return topology;
  const details = topology.details.map(({ traffic, ...edge }) =>
    traffic === undefined ? edge : { ...edge, traffic: { ...traffic, at: Math.min(traffic.at, now) } },
  );
  return { ...topology, details };
}
