import type { Config } from "../config/config.ts";
import { createCallGraph } from "../correlation/call-graph.ts";
import { creeps, hurts } from "../correlation/harm.ts";
import { indexSeries, type SampleIndex, samplesBetween } from "../correlation/samples.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Impact, ImpactLevel, KnownLevel } from "../model/impact.ts";
import { shareText } from "../model/share-text.ts";
import type { Series } from "../model/signal.ts";
import { failingSentence, revenueSentence } from "./impact-text.ts";
import { revenueAtRisk } from "./revenue.ts";
import { budgetSentence, failedTraces, failedUsers, worstFirst } from "./routes.ts";
import { slowShare } from "./slowness.ts";

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
 * unknown. The level is the worse of two: the failed or slow share of traffic where users come in, capped at high, and,
 * where `services.*.routes` or `revenue_per_minute` say what is earned, the share of all that revenue which is at risk.
 * Saying what a service earns can thus raise the level and never lower it: it also decides who must approve. `unseen`: why
 * others may be affected whom nobody measures; empty: whoever is affected is known.
 */
export function assessImpact(
  caseFile: CaseFile,
  config: Config,
  affected: readonly string[] | null,
  unseen: readonly string[] = [],
): Impact {
  const index = indexSeries(caseFile.series, config.versionLabel);
  const unknown: string[] = unseen.length === 0 ? [] : [`impact: ${unseen.join("; ")}`];
  const sentences: string[] = [];
  if (affected === null) unknown.push("affected services: no step searched for them");
  const services = affected ?? [];
  const onsets = onsetsOf(caseFile, services);
  const { edge, unread } = edgeShare(caseFile, index, services, onsets);
  if (edge === null && services.length > 0) unknown.push("failed share of traffic: no error rate where users come in");
  else if (unread.length > 0)
    unknown.push(`failed share of traffic at ${unread.join(", ")}: no sample of the last minute`);
  const slow = slowShare(caseFile, services);
  const failing = edge !== null && edge.share > 0 ? [failingSentence(edge.share, edge.service)] : [];
  // What harms more is told first: it is what titles and summaries say.
  if (slow !== null && slow.share > (edge?.share ?? 0)) sentences.push(slow.sentence, ...failing);
  else sentences.push(...failing, ...(slow === null ? [] : [slow.sentence]));
  const since = Math.min(caseFile.at - 60_000, ...onsets);
  // Where traces were left out, failed ones were kept first: a share of those at hand is none of all.
  const traces = caseFile.spansCut === true ? null : failedTraces(caseFile, since);
  if (traces !== null && traces > 0) sentences.push(`${shareText(traces)} of traced user requests fail`);
  const users = caseFile.spansCut === true ? null : failedUsers(caseFile, since);
  if (users !== null)
    sentences.push(
      `${users.failed} of ${users.all} users in the traces met a failure (${shareText(users.failed / users.all)})`,
    );
  const revenue = revenueAtRisk(caseFile, index, config, services, since);
  if (revenue.unmeasured.length > 0)
    unknown.push(`revenue at risk: nobody measures errors or latency of ${revenue.unmeasured.join(", ")}`);
  const atRisk = revenueSentence(revenue.atRisk, revenue.total, config.currency);
  if (atRisk !== null) sentences.push(atRisk);
  const budget = edge === null || onsets.length === 0 ? null : budgetSentence(edge.share);
  if (budget !== null) sentences.push(budget);
  const share = Math.max(edge?.share ?? 0, slow?.share ?? 0);
  const byTraffic = Math.min(levelOf(share), 2);
  const routes = worstFirst(revenue.routes);
  const [worst] = routes;
  if (worst !== undefined)
    sentences.push(`worst route: ${worst.route} of ${worst.service}, ${shareText(worst.failedShare)} fail`);
  const byRevenue = revenue.total > 0 ? levelOf(revenue.atRisk / revenue.total) : 0;
  // As right after an act, before the first sample since: that nobody is seen to be hurt says nothing yet (S9).
  const notYet = edge === null && services.length === 0 && entriesOf(caseFile, index).length > 0;
  const isBlind = notYet || affected === null || unseen.length > 0 || unread.length > 0;
  return {
    level: toldLevel(Math.max(weighed(byTraffic, services, config), byRevenue), {
      isBlind: isBlind || (edge === null && services.length > 0),
      isMeasured: share > 0 || byRevenue > 0,
    }),
    affectedServices: [...services],
    failedShare: edge?.share ?? null,
    slowShare: slow?.share ?? null,
    failedUserShare: users === null ? null : users.failed / users.all,
    failedRequestsPerSecond: edge?.perSecond ?? null,
    revenuePerMinute: revenue.total > 0 ? revenue.atRisk : null,
    routes: [...routes],
    unknown,
    sentences,
    ...(notYet ? { notYet } : {}),
  };
}

/**
 * The level as it is told. Where something is not measured it is a lower bound: the lowest one says nothing then, and one that
 * rests on the importance of services alone is none (S9).
 */
function toldLevel(level: number, { isBlind, isMeasured }: { isBlind: boolean; isMeasured: boolean }): KnownLevel {
  return isBlind && (level === 0 || !isMeasured) ? "unknown" : (LEVELS[level] ?? "low");
}

const levelOf = (share: number): number => SHARES.filter((limit) => share >= limit).length;

/** A service of low criticality hurts a level less, a critical one a level more, never beyond high: only revenue says more. */
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

/** Services where users come in and whose failed requests are counted. */
const entriesOf = ({ topology }: CaseFile, index: SampleIndex): readonly string[] =>
  [...createCallGraph(topology).entries].filter((service) => index.whole(service, "error_rate") !== undefined);

/**
 * The worst of the services where users come in; where none of them is measured, the worst affected one. `unread`: affected ones
 * among these whose failures are counted, and of which no sample came in about the last minute.
 */
function edgeShare(
  caseFile: CaseFile,
  index: SampleIndex,
  services: readonly string[],
  onsets: readonly number[],
): { readonly edge: Edge | null; readonly unread: readonly string[] } {
  const entries = entriesOf(caseFile, index);
  const places = entries.length > 0 ? entries : services;
  const unread = places.filter((service) => {
    const counted = services.includes(service) ? index.whole(service, "error_rate") : undefined;
    return counted !== undefined && recent(caseFile, onsets, counted) === null;
  });
  const edges = places.flatMap((service) => {
    const share = recent(caseFile, onsets, index.whole(service, "error_rate"));
    if (share === null) return [];
    const rate = recent(caseFile, onsets, index.whole(service, "request_rate"));
    return [{ service, share, perSecond: rate === null ? null : rate * share }];
  });
  return { edge: edges.sort((a, b) => b.share - a.share || (a.service < b.service ? -1 : 1))[0] ?? null, unread };
}

/**
 * Mean of the last samples (about a minute, at least two; each of the step before it) since the first of the onsets: what was before it would make a failure
 * that has just begun look smaller than it is. The newest sample where all are older.
 */
function recent({ at }: CaseFile, onsets: readonly number[], series: Series | undefined): number | null {
  const latest = samplesBetween(series, at - Math.max(60_000, 2 * (series?.stepMs ?? 0)), at);
  const began = Math.min(...onsets);
  const since = onsets.length === 0 ? latest : latest.filter((one) => one.at > began);
  const samples = since.length > 0 ? since : latest.slice(-1);
  if (samples.length === 0) return null;
  return samples.reduce((sum, { value }) => sum + value, 0) / samples.length;
}

const onsetsOf = ({ findings }: CaseFile, services: readonly string[]): readonly number[] =>
  findings.flatMap(({ verdict, onset, service }) =>
    verdict === "worse" && onset !== null && services.includes(service) ? [onset.at] : [],
  );
