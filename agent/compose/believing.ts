import type { Gap } from "../../core/model/assessment.ts";
import { type Absurd, believed } from "../../core/model/believable.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText } from "../../core/model/untrusted-text.ts";
import type { MetricSource } from "../../core/ports.ts";

/** A gap is of the present: what an older sample was is over. A sample may come so late, and be read again meanwhile. */
const PRESENT_MS = 60_000;
/** So many services are named for each metric; a source that is wrong about all of them is no longer list than that. */
const MOST_NAMED = 10;

export interface Believing {
  readonly sources: readonly MetricSource[];
  /** What the newest samples hold that can be no measurement, by metric and service: it is unknown there (S9). */
  readonly gaps: () => readonly Gap[];
}

/**
 * The same sources, in whose answers what can be no measurement is a missing sample (see `believed`): one absurd sample of one
 * service makes that sample unknown, and is named, and nothing else is touched by it.
 */
export function believing(sources: readonly MetricSource[]): Believing {
  const heard = sources.map(() => new Map<string, readonly Gap[]>());
  return {
    sources: sources.map((source, index) => ({
      name: source.name,
      metrics: () => source.metrics(),
      range: async (query, abort) => {
        const answers = (await source.range(query, abort)).map(believed);
        const since = query.window.to - Math.max(2 * query.stepMs, PRESENT_MS);
        const gaps = gapsOf(source.name, query.metric, answers, since);
        const key = `${query.metric} ${query.purpose} ${query.stepMs}`;
        if (gaps.length === 0) heard[index]?.delete(key);
        else heard[index]?.set(key, gaps);
        return answers.map(({ series }) => series);
      },
    })),
    gaps: () => heard.flatMap((one) => [...one.values()].flat()),
  };
}

/** A service is named by whoever writes its labels: a line break in it is no line of ours. */
const oneLine = (service: string): string => cleanText(service, MOST_CHARS).replaceAll(/\s+/g, " ");
const MOST_CHARS = 200;

type Answer = ReturnType<typeof believed>;

function gapsOf(source: string, metric: string, answers: readonly Answer[], since: number): readonly Gap[] {
  const byService = new Map<string, Absurd>();
  for (const { series, absurd } of answers)
    if (absurd !== null && absurd.at >= since) byService.set(series.service, absurd);
  const all = [...byService];
  const gaps = all.slice(0, MOST_NAMED).map(([service, { value, at }]) => ({
    source,
    what: `${metric} of ${oneLine(service)}`,
    because: `${value} at ${rfc3339(at)} can be no measurement: taken as missing`,
  }));
  const more = all.length - gaps.length;
  const others = {
    source,
    what: `${metric} of others`,
    because: `${more} more services show what can be no measurement`,
  };
  return more > 0 ? [...gaps, others] : gaps;
}
