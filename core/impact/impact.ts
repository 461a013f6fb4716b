import type { Config } from "../config/config.ts";
import { createCallGraph } from "../correlation/call-graph.ts";
import { creeps, hurts } from "../correlation/harm.ts";
import { indexSeries, type SampleIndex, samplesBetween } from "../correlation/samples.ts";
import { isLatency } from "../detection/meaning.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Finding } from "../model/finding.ts";
import type { Impact, ImpactLevel } from "../model/impact.ts";
import { budgetSentence, failedTraces, failedUsers, routeShares, worstFirst } from "./routes.ts";

const LEVELS: readonly ImpactLevel[] = ["low", "medium", "high", "critical"];

/**
 * Where a share of traffic (or of revenue) becomes medium, high, critical: one in a hundred is a bad day's budget of a
 * 99 % objective; five in a hundred is what the usual policies roll back for; a fifth is an outage.
 */
const SHARES = [0.01, 0.05, 0.2] as const;

/** Services whose own error, latency or health signal is worse now. */
export function hurtServices(caseFile: CaseFile, versionLabel: string): readonly string[] {
  const index = indexSeries(caseFile.series, versionLabel);
  const found = caseFile.findings.filter((one) => one.verdict === "worse" && !creeps(one) && hurts(index, one));
  return [...new Set(found.map(({ service }) => service))].sort();
}

/**
 * Who is hurt and how much, now. `affected`: what the step before found; null where it was left out, and then it is
 * unknown. Revenue counts where `services.*.routes` or `revenue_per_minute` say it; else the failed share of traffic
 * where users come in, capped at high.
 */
export function assessImpact(caseFile: CaseFile, config: Config, affected: readonly string[] | null): Impact {
  const index = indexSeries(caseFile.series, config.versionLabel);
  const unknown: string[] = [];
  const sentences: string[] = [];
  if (affected === null) unknown.push("affected services: no step looked for them");
  const services = affected ?? [];
  const edge = edgeShare(caseFile, index, services);
  if (edge === null && services.length > 0) unknown.push("failed share of traffic: no error rate where users come in");
  const slow = slowShare(caseFile, services);
  if (edge !== null) sentences.push(`${percent(edge.share)} of requests fail at ${edge.service}`);
  if (slow !== null) sentences.push(slow.sentence);
  const since = Math.min(caseFile.at - 60_000, ...onsetsOf(caseFile, services));
  const traces = failedTraces(caseFile, since);
  if (traces !== null) sentences.push(`${percent(traces)} of traced user requests fail`);
  const users = failedUsers(caseFile, since);
  if (users !== null)
    sentences.push(
      `${users.failed} of ${users.all} users in the traces met a failure (${percent(users.failed / users.all)})`,
    );
  const revenue = revenueAtRisk(caseFile, index, config, services, since);
  if (revenue.total > 0)
    sentences.push(`${revenue.atRisk.toFixed(0)} of ${revenue.total.toFixed(0)} a minute of revenue is at risk`);
  const meant = caseFile.findings.filter(({ service }) => services.includes(service));
  const budget = edge === null ? null : budgetSentence(edge.share, meant, caseFile.at);
  if (budget !== null) sentences.push(budget);
  const share = Math.max(edge?.share ?? 0, slow?.share ?? 0);
  const byTraffic = Math.min(levelOf(share), 2);
  const routes = worstFirst(revenue.routes);
  const [worst] = routes;
  if (worst !== undefined)
    sentences.push(`worst route: ${worst.route} of ${worst.service}, ${percent(worst.failedShare)} fail`);
  const level = revenue.total === 0 ? weighed(byTraffic, services, config) : levelOf(revenue.atRisk / revenue.total);
  return {
    level: LEVELS[level] ?? "low",
    affectedServices: [...services],
    failedShare: edge?.share ?? null,
    failedUserShare: users === null ? null : users.failed / users.all,
    failedRequestsPerSecond: edge?.perSecond ?? null,
    revenuePerMinute: revenue.total > 0 ? revenue.atRisk : null,
    routes: [...routes],
    unknown,
    sentences,
  };
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const levelOf = (share: number): number => SHARES.filter((limit) => share >= limit).length;

/** A service of low criticality hurts a level less, a critical one a level more, never beyond high without revenue. */
function weighed(level: number, services: readonly string[], config: Config): number {
  const known = services.map((service) => config.services[service]?.criticality).filter((one) => one !== undefined);
  if (known.includes("critical")) return Math.min(2, level + 1);
  return known.length > 0 && known.every((one) => one === "low") ? Math.max(0, level - 1) : level;
}

interface Edge {
  readonly service: string;
  readonly share: number;
  readonly perSecond: number | null;
}

/** The worst of the services where users come in; where none of them is measured, the worst affected one. */
function edgeShare(caseFile: CaseFile, index: SampleIndex, services: readonly string[]): Edge | null {
  const graph = createCallGraph(caseFile.topology);
  const entries = [...graph.entries].filter((service) => index.whole(service, "error_rate") !== undefined);
  const places = entries.length > 0 ? entries : services;
  const edges = places.flatMap((service) => {
    const share = recent(caseFile, index, service, "error_rate");
    if (share === null) return [];
    const rate = recent(caseFile, index, service, "request_rate");
    return [{ service, share, perSecond: rate === null ? null : rate * share }];
  });
  return edges.sort((a, b) => b.share - a.share || (a.service < b.service ? -1 : 1))[0] ?? null;
}

/** Mean of the last samples (about a minute, at least two). */
function recent(caseFile: CaseFile, index: SampleIndex, service: string, metric: string): number | null {
  const series = index.whole(service, metric);
  const samples = samplesBetween(series, caseFile.at - Math.max(60_000, 2 * (series?.stepMs ?? 0)), caseFile.at);
  if (samples.length === 0) return null;
  return samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
}

/** A median twice as long means that half of the requests are slower than nearly all were; a p99 says it of one in a hundred. */
function slowShare(
  caseFile: CaseFile,
  services: readonly string[],
): { readonly share: number; readonly sentence: string } | null {
  const slow = caseFile.findings
    .filter((one) => one.verdict === "worse" && isLatency(one.metric) && services.includes(one.service))
    .map((one) => ({ one, ratio: ratioOf(one), share: shareOf(one) }))
    .filter(({ ratio }) => ratio >= 1.25)
    .sort((a, b) => b.share - a.share || b.ratio - a.ratio)[0];
  if (slow === undefined) return null;
  const { service, metric } = slow.one;
  return { share: slow.share, sentence: `${metric} of ${service} is ${slow.ratio.toFixed(1)} times the usual` };
}

const ratioOf = ({ baseline, current }: Finding): number =>
  baseline === null || current === null || baseline <= 0 ? 1 : current / baseline;

function shareOf(finding: Finding): number {
  const quantile = /p(\d+)/.exec(finding.metric)?.[1];
  const slower = quantile === undefined ? 0.5 : 1 - Number(quantile) / 10 ** quantile.length;
  return ratioOf(finding) >= 2 ? slower : slower / 2;
}

interface Revenue {
  readonly atRisk: number;
  readonly total: number;
  readonly routes: Impact["routes"];
}

/**
 * Each route's worth times what fails of that route; a service's worth that no route has, times what fails of the
 * service. A route that nobody measures by itself fails as its service does.
 */
function revenueAtRisk(
  caseFile: CaseFile,
  index: SampleIndex,
  config: Config,
  services: readonly string[],
  since: number,
): Revenue {
  const routes: { service: string; route: string; failedShare: number }[] = [];
  let total = 0;
  let atRisk = 0;
  const names = new Set([...Object.keys(config.services), ...services]);
  for (const service of names) {
    const { routes: configured = [], revenuePerMinute = null } = config.services[service] ?? {};
    const worth = configured.reduce((sum, route) => sum + route.revenuePerMinute, 0) || (revenuePerMinute ?? 0);
    total += worth;
    if (!services.includes(service)) continue;
    const last = index.whole(service, "error_rate")?.values.findLast((value) => value !== null) ?? null;
    const measured = routeShares(
      caseFile,
      service,
      configured.map(({ route }) => route),
      since,
    );
    for (const { route, revenuePerMinute: value } of configured) {
      const failedShare = measured.get(route) ?? last;
      if (failedShare === null) continue;
      atRisk += value * failedShare;
      routes.push({ service, route, failedShare });
    }
    if (configured.length === 0 && last !== null) atRisk += worth * last;
    const known = new Set(configured.map(({ route }) => route));
    for (const [route, failedShare] of measured) if (!known.has(route)) routes.push({ service, route, failedShare });
  }
  return { atRisk, total, routes };
}

const onsetsOf = ({ findings }: CaseFile, services: readonly string[]): readonly number[] =>
  findings.flatMap(({ verdict, onset, service }) =>
    verdict === "worse" && onset !== null && services.includes(service) ? [onset.at] : [],
  );
