import { type Absurd, believed } from "../../core/model/believable.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import type { Lack, MetricSource } from "../../core/ports.ts";

/** So many services are named for each metric; a source that is wrong about all of them is no longer list than that. */
const MOST_NAMED = 10;

/**
 * The same sources, in whose answers what can be no measurement is a missing sample (see `believed`): one absurd sample of one
 * service makes that sample unknown, and nothing else is touched by it. Whoever asks hears of it (`MetricQuery.lacks`), and
 * nobody else: what it means for the present is for them to say, who know of when they asked (S9).
 */
export const believing = (sources: readonly MetricSource[]): readonly MetricSource[] =>
  sources.map((source) => ({
    name: source.name,
    metrics: () => source.metrics(),
    range: async (query, abort) => {
      const answers = (await source.range(query, abort)).map(believed);
      for (const lack of lacksOf(source.name, query.metric, answers)) query.lacks?.(lack);
      return answers.map(({ series }) => series);
    },
  }));

/** A service is named by whoever writes its labels: a line break in it is no line of ours. */
const oneLine = (service: string): string => cleanText(service, MOST_CHARS).replaceAll(/\s+/g, " ");
const MOST_CHARS = 200;

type Answer = ReturnType<typeof believed>;

/** The newest absurd sample of each service, newest first. */
function lacksOf(source: string, metric: string, answers: readonly Answer[]): readonly Lack[] {
  const byService = new Map<string, Absurd>();
  for (const { series, absurd } of answers) {
    const before = byService.get(series.service);
    if (absurd !== null && (before === undefined || before.at < absurd.at)) byService.set(series.service, absurd);
  }
  const all = [...byService].sort(([, a], [, b]) => b.at - a.at);
  const about = { of: "metrics", how: "partial", metric, source } as const;
  const lacks = all.slice(0, MOST_NAMED).map(([service, { value, at }]): Lack => {
    const because = `${value} at ${rfc3339(at)} can be no measurement: taken as missing`;
    return { gap: { ...about, services: [service], what: `${metric} of ${oneLine(service)}`, because }, at };
  });
  const rest = all.slice(MOST_NAMED);
  const [newest] = rest;
  if (newest === undefined) return lacks;
  const because = `${rest.length} more services show what can be no measurement`;
  const services = rest.map(([service]) => service);
  return [...lacks, { gap: { ...about, services, what: `${metric} of others`, because }, at: newest[1].at }];
}
