import type { Gap } from "../../core/model/assessment.ts";

/**
 * Remembers since when each gap stands: gaps of one moment in (`at`, Unix ms), the same with `since` out, each named
 * once. A gap is the same as long as its source and what it leaves unknown are; one that was not there at the moment
 * before begins anew. One for each way of asking, since what was not asked for is no gap.
 */
export function createSilences(): (gaps: readonly Gap[], at: number) => readonly Gap[] {
  let known = new Map<string, Gap>();
  return (gaps, at) => {
    const now = new Map<string, Gap>();
    for (const gap of gaps) {
      const key = JSON.stringify([gap.source, gap.what]);
      if (!now.has(key)) now.set(key, { ...gap, since: gap.since ?? known.get(key)?.since ?? at });
    }
    known = now;
    return [...now.values()];
  };
}
