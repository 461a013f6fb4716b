import { isHarm } from "../../core/detection/meaning.ts";
import { median, robustScale } from "../../core/detection/robust.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Bundle } from "./bundle.ts";
import type { Episode } from "./episode.ts";

/** What a report draws of one bundle: small enough that hundreds fit in memory. Times Unix ms. */
export interface Sketch {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly watchStart: number;
  /** The signal that shows the trouble best; null where nothing is measured. */
  readonly signal: {
    readonly service: string;
    readonly metric: string;
    readonly unit: string;
    readonly points: readonly (readonly [at: number, value: number | null])[];
  } | null;
  readonly changes: readonly {
    readonly id: string;
    readonly service: string;
    readonly kind: string;
    readonly startedAt: number;
    readonly finishedAt: number;
  }[];
}

/** So much of what was before the watch is drawn. */
const BEFORE_MS = 1_800_000;
/** No chart is wider than this many samples; more are averaged. */
const POINTS = 600;

/** Draws from the recording and from what the replay said of it; never from the truth. */
export function sketchOf(bundle: Bundle, episodes: readonly Episode[]): Sketch {
  const { start, end } = bundle.incident.watch;
  const from = start - BEFORE_MS;
  const episode = episodes.find(({ action }) => action !== "no_action") ?? episodes[0];
  const shown = clearest(bundle, episode, start, end);
  return {
    title: bundle.incident.title,
    from,
    to: end,
    watchStart: start,
    signal:
      shown === null
        ? null
        : { service: shown.service, metric: shown.metric, unit: shown.unit, points: points(shown, from, end) },
    changes: bundle.changes
      .filter(({ startedAt, finishedAt }) => startedAt <= end && (finishedAt ?? end) >= from)
      .map(({ id, service, kind, startedAt, finishedAt }) => ({
        id,
        service,
        kind,
        startedAt,
        finishedAt: finishedAt ?? end,
      })),
  };
}

/** Of the episode's signals where it starts, else where it hurts, else of all that would hurt: the one that moved furthest. */
function clearest(bundle: Bundle, episode: Episode | undefined, start: number, end: number): Series | null {
  const whole = bundle.series.filter(
    ({ labels, metric, worse }) => Object.keys(labels).length === 0 && isHarm(metric, worse),
  );
  const finest = [...Map.groupBy(whole, ({ service, metric }) => `${service}\n${metric}`).values()].map((same) =>
    same.reduce((best, one) => (one.stepMs < best.stepMs ? one : best)),
  );
  const told = finest.filter(({ metric }) => episode?.signals.includes(metric) === true);
  const atOrigin = told.filter(({ service }) => service === episode?.service);
  const affected = told.filter(({ service }) => episode?.affected_services.includes(service) === true);
  const meant = [atOrigin, affected, finest].find((all) => all.length > 0) ?? [];
  const since = episode === undefined ? start : Date.parse(episode.onset_estimate ?? episode.detected_at);
  const until = episode === undefined ? end : Date.parse(episode.decided_at ?? episode.detected_at);
  const scored = meant.map((series) => ({ series, moved: moved(series, since, until) }));
  return (
    scored.reduce<(typeof scored)[number] | null>(
      (best, one) => (best === null || one.moved > best.moved ? one : best),
      null,
    )?.series ?? null
  );
}

function moved(series: Series, since: number, until: number): number {
  const before = valuesBetween(series, Number.NEGATIVE_INFINITY, since);
  const after = valuesBetween(series, since, until);
  if (before.length === 0 || after.length === 0) return 0;
  const usual = median(before);
  // A signal that never moved is compared with a hundredth of itself: nothing is divided by nothing.
  return Math.abs(median(after) - usual) / Math.max(robustScale(before, usual), Math.abs(usual) / 100, 1e-9);
}

function valuesBetween({ startAt, stepMs, values }: Series, from: number, to: number): readonly number[] {
  return values.filter((value, index): value is number => {
    const at = startAt + index * stepMs;
    return value !== null && at > from && at <= to;
  });
}

function points({ startAt, stepMs, values }: Series, from: number, to: number): [number, number | null][] {
  const first = Math.max(0, Math.ceil((from - startAt) / stepMs));
  const last = Math.min(values.length - 1, Math.floor((to - startAt) / stepMs));
  const each = Math.max(1, Math.ceil((last - first + 1) / POINTS));
  const drawn: [number, number | null][] = [];
  for (let at = first; at <= last; at += each) {
    const together = values.slice(at, Math.min(at + each, last + 1)).filter((value) => value !== null);
    const mean = together.reduce((sum, value) => sum + value, 0) / together.length;
    drawn.push([startAt + (at + each - 1) * stepMs, together.length === 0 ? null : mean]);
  }
  return drawn;
}
