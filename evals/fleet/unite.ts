import type { Topology } from "../../core/model/evidence.ts";
import type { Bundle } from "../replay/bundle.ts";

/** What an evaluation's clock does: from when to when, and how often. Unix ms. */
export interface Watched {
  readonly start: number;
  readonly end: number;
}

/**
 * Several worlds as one recording, watched from `start` to `end`. Each keeps all that was recorded of it, as history where
 * it is older than the watch, and nothing is made up: where the watch reaches beyond what one of them recorded, its samples
 * are missing, which is unknown. A call graph is known where one of them has one, of that one's services; none is known
 * where none has. What names have in common is one and the same: rename apart first. Pure.
 */
export function united(bundles: readonly Bundle[], { start, end }: Watched, id: string): Bundle {
  const known = bundles.flatMap(({ topology }) => (topology === null ? [] : [topology]));
  const sorted = <T>(items: readonly T[], at: (item: T) => number): readonly T[] =>
    items.toSorted((a, b) => at(a) - at(b));
  return {
    directory: "",
    incident: {
      schema: 1,
      id,
      title: id,
      watch: { start, end },
      services: bundles.flatMap(({ incident }) => incident.services),
    },
    series: bundles.flatMap(({ series }) => series),
    changes: sorted(
      bundles.flatMap(({ changes }) => changes),
      ({ startedAt }) => startedAt,
    ),
    ...(bundles.every(({ infrastructure }) => infrastructure === undefined)
      ? {}
      : {
          infrastructure: sorted(
            bundles.flatMap(({ infrastructure }) => infrastructure ?? []),
            ({ startedAt }) => startedAt,
          ),
        }),
    ...(bundles.every(({ commits }) => commits === undefined)
      ? {}
      : { commits: new Map(bundles.flatMap(({ commits }) => [...(commits ?? [])])) }),
    topology: known.length === 0 ? null : unitedTopology(known),
    logs: sorted(
      bundles.flatMap(({ logs }) => logs),
      ({ at }) => at,
    ),
    spans: sorted(
      bundles.flatMap(({ spans }) => spans),
      ({ startUs }) => startUs,
    ),
    alerts: sorted(
      bundles.flatMap(({ alerts }) => alerts),
      ({ startsAt }) => startsAt,
    ),
    gaps: bundles.flatMap(({ gaps }) => gaps),
  };
}

function unitedTopology(known: readonly Topology[]): Topology {
  const [details, reporting] = [known.flatMap((one) => one.details ?? []), known.flatMap((one) => one.reporting ?? [])];
  return {
    edges: known.flatMap(({ edges }) => edges),
    external: known.flatMap(({ external }) => external),
    ...(details.length === 0 ? {} : { details }),
    ...(reporting.length === 0 ? {} : { reporting }),
  };
}

/** The same world without who calls whom, as where nobody connected a source of it; spans say it too, and go with it. */
export const withoutEdges = (bundle: Bundle): Bundle => ({ ...bundle, topology: null, spans: [] });

/** What is left of a world that nothing measures: its changes. Who calls whom among it stays known if it was. */
export const unmeasured = (bundle: Bundle): Bundle => ({
  ...bundle,
  incident: { ...bundle.incident, services: [] },
  series: [],
  logs: [],
  spans: [],
  alerts: [],
  gaps: [],
});
