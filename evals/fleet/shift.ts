import type { Topology } from "../../core/model/evidence.ts";
import type { TruthFile } from "../replay/bundle-schema.ts";
import type { Recorded } from "./recorded.ts";

/** The same world `byMs` later (earlier where negative); whole ms. Every time in it and in its truth moves alike. Pure. */
export function shifted({ bundle, truth }: Recorded, byMs: number): Recorded {
  const { incident, series, changes, topology, logs, spans, alerts, infrastructure, commits } = bundle;
  const { start, end } = incident.watch;
  return {
    bundle: {
      ...bundle,
      incident: { ...incident, watch: { start: start + byMs, end: end + byMs } },
      series: series.map((one) => ({ ...one, startAt: one.startAt + byMs })),
      changes: changes.map((change) => ({
        ...change,
        startedAt: change.startedAt + byMs,
        finishedAt: change.finishedAt === null ? null : change.finishedAt + byMs,
      })),
      ...(infrastructure === undefined
        ? {}
        : {
            infrastructure: infrastructure.map((one) => ({
              ...one,
              startedAt: one.startedAt + byMs,
              finishedAt: one.finishedAt === null ? null : one.finishedAt + byMs,
            })),
          }),
      ...(commits === undefined
        ? {}
        : {
            commits: new Map(
              [...commits].map(([of, all]) => [
                of,
                all.map(({ at, ...one }) => ({ ...one, ...(at === undefined ? {} : { at: at + byMs }) })),
              ]),
            ),
          }),
      topology: topology === null ? null : laterTopology(topology, byMs),
      logs: logs.map((line) => ({ ...line, at: line.at + byMs })),
      spans: spans.map((span) => ({ ...span, startUs: span.startUs + byMs * 1000 })),
      alerts: alerts.map(({ startsAt, endsAt, ...rest }) => ({
        ...rest,
        startsAt: startsAt + byMs,
        ...(endsAt === undefined ? {} : { endsAt: endsAt + byMs }),
      })),
    },
    truth: truth === null ? null : laterTruth(truth, byMs),
  };
}

/** Calls that were measured were so at a time. */
function laterTopology({ details, ...rest }: Topology, byMs: number): Topology {
  if (details === undefined) return rest;
  const later = details.map(({ traffic, ...edge }) =>
    traffic === undefined ? edge : { ...edge, traffic: { ...traffic, at: traffic.at + byMs } },
  );
  return { ...rest, details: later };
}

function laterTruth(truth: TruthFile, byMs: number): TruthFile {
  const { onset, incidents } = truth;
  return {
    ...truth,
    onset: onset === null ? null : onset + byMs,
    ...(incidents === undefined ? {} : { incidents: incidents.map((part) => ({ ...part, onset: part.onset + byMs })) }),
  };
}
