import type { CaseFile } from "../model/assessment.ts";
import type { Impact } from "../model/impact.ts";
import type { Series } from "../model/signal.ts";

/** Labels under which exporters name what was asked for (OpenTelemetry: http.route). */
const ROUTE_LABELS = ["route", "http_route", "http.route", "path", "endpoint", "handler", "uri"] as const;
/** Fewer requests than this say nothing of a route. */
const LEAST_SPANS = 20;
const RECENT_MS = 60_000;

/**
 * The failed share of each route of one service now, 0 to 1: from its own error rate where a series is labelled by
 * route (mean of about the last minute), else from spans since `since` (Unix ms) whose name holds the route. Routes that
 * neither tells of are absent. `named`: routes of the configuration, as they are written there.
 */
export function routeShares(
  { series, spans, at }: Pick<CaseFile, "series" | "spans" | "at">,
  service: string,
  named: readonly string[],
  since: number,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const one of series) {
    const route = one.service === service && one.metric === "error_rate" ? routeOf(one) : null;
    const share = route === null ? null : recentMean(one, at);
    if (route !== null && share !== null) found.set(spelled(route, named), share);
  }
  for (const route of named) {
    if (found.has(route)) continue;
    const asked = spans.filter(
      (one) => one.service === service && one.startUs / 1000 >= since && holds(one.name, route),
    );
    if (asked.length >= LEAST_SPANS) found.set(route, asked.filter(({ error }) => error).length / asked.length);
  }
  return found;
}

function routeOf({ labels }: Series): string | null {
  const [label, ...others] = Object.keys(labels);
  if (label === undefined || others.length > 0) return null;
  return ROUTE_LABELS.some((name) => name === label) ? (labels[label] ?? null) : null;
}

/** "POST /buy" and "/buy" are one route; "/buy/again" is another. */
const pathOf = (route: string): string => route.replace(/^[A-Z]+\s+/, "");
const spelled = (route: string, named: readonly string[]): string =>
  named.find((one) => one === route || pathOf(one) === pathOf(route)) ?? route;
const holds = (name: string, route: string): boolean => name === route || pathOf(name) === pathOf(route);

function recentMean({ values, startAt, stepMs }: Series, at: number): number | null {
  const from = at - Math.max(RECENT_MS, 2 * stepMs);
  const recent = values.filter(
    (value, i) => value !== null && startAt + i * stepMs > from && startAt + i * stepMs <= at,
  );
  const known = recent.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** Routes with their shares, worst first. */
export const worstFirst = (routes: Impact["routes"]): Impact["routes"] =>
  routes.toSorted((a, b) => b.failedShare - a.failedShare || (a.route < b.route ? -1 : 1));

/**
 * How fast the failures use an error budget up, in words that stay true later on (how much is spent by now is another figure
 * at each look): people who set no objective usually mean 99.9 % of 30 days. Null where it lasts the 30 days.
 * `share`: failed requests of all, 0 to 1, where users come in.
 * @see Google, The Site Reliability Workbook, ch. 5 "Alerting on SLOs", burn rate
 */
export function budgetSentence(share: number): string | null {
  if (share <= OBJECTIVE) return null;
  const burn = share / OBJECTIVE;
  const hours = PERIOD_MS / burn / 3_600_000;
  return `burn rate ${burn.toFixed(0)}× (SLO 99.9 % over 30 d): at that rate the error budget is exhausted in ${twoDigits(hours)} h`;
}
/** Two digits that say something, and never an exponent: `0.23`, `7.2`, `120`. */
const twoDigits = (value: number): string => (value < 100 ? value.toPrecision(2) : value.toFixed(0));
const OBJECTIVE = 0.001;
const PERIOD_MS = 30 * 86_400_000;

/**
 * How many of the users whose requests were traced since `since` met a failure of a whole request at least once: a retry
 * hides a failed request from the count of requests, and from its user only if it succeeds. Null where the traces name fewer
 * than twenty users.
 */
export function failedUsers(
  { spans }: Pick<CaseFile, "spans">,
  since: number,
): { readonly failed: number; readonly all: number } | null {
  const recent = spans.filter(({ startUs }) => startUs / 1000 >= since);
  const userOf = new Map(recent.flatMap(({ traceId, user }) => (user === undefined ? [] : [[traceId, user] as const])));
  const roots = recent.filter(({ parentId }) => parentId === undefined);
  const asked = roots.flatMap(({ traceId, error }) => {
    const user = userOf.get(traceId);
    return user === undefined ? [] : [{ user, error }];
  });
  const all = new Set(asked.map(({ user }) => user)).size;
  const failed = new Set(asked.filter(({ error }) => error).map(({ user }) => user)).size;
  return all < LEAST_USERS ? null : { failed, all };
}
const LEAST_USERS = 20;

/**
 * The share of whole user requests that fail, from traces: roots with an error, of all roots since `since`. It tells of
 * users what no service tells of itself: a failure inside that was caught hurts nobody. Null below twenty traces.
 */
export function failedTraces({ spans }: Pick<CaseFile, "spans">, since: number): number | null {
  const roots = spans.filter(({ parentId, startUs }) => parentId === undefined && startUs / 1000 >= since);
  return roots.length < LEAST_SPANS ? null : roots.filter(({ error }) => error).length / roots.length;
}
