import type { Gap } from "../../core/model/assessment.ts";
import { partsText } from "../../core/model/parts-text.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { unheardText } from "../../core/model/unheard.ts";
import type { Emit, WatchEvent } from "./events.ts";

interface Words {
  readonly event: WatchEvent["event"];
  readonly text: string;
}

/** How each kind of gap is reported when it begins and when it ends; null: nothing is said when it ends. `parts`: what of the source. */
const WORDS: Readonly<
  Record<
    Gap["how"],
    { readonly begins: (gap: Gap, parts: string) => Words; readonly ends: (gap: Gap, parts: string) => Words | null }
  >
> = {
  unanswered: {
    begins: ({ source, because, since }, parts) => ({
      event: "source.down",
      text: `${source} is down (${parts}): ${because}${since === undefined ? "" : `; no data since ${rfc3339(since)}`}`,
    }),
    ends: ({ source }, parts) => ({ event: "source.up", text: `${source} answers again (${parts})` }),
  },
  // Its source answers, and is not down.
  partial: {
    begins: (gap) => ({ event: "source.partial", text: unheardText(gap) }),
    ends: ({ source, what }) => ({ event: "source.whole", text: `${source} shows ${what} again` }),
  },
  uncertain: {
    begins: (gap) => ({ event: "source.partial", text: unheardText(gap) }),
    ends: ({ source, what }) => ({ event: "source.whole", text: `${source} can be relied on again (${what})` }),
  },
  // Nothing was asked: it is as the configuration has it, and does not pass.
  "not-configured": {
    begins: (gap) => ({ event: "source.absent", text: unheardText(gap) }),
    ends: () => null,
  },
};

/**
 * Reports each gap once when it begins and once when it ends, evaluation by evaluation; a gap is the same by its source and what it
 * leaves unknown. What of one source begins to be unanswered at once for one reason, or is answered again at once, is one event. What
 * a source left out of its answer it shows again only in an answer: while it gives none, that gap stays.
 */
export function createReporting(emit: Emit): (gaps: readonly Gap[], at: number) => void {
  let known = new Map<string, Gap>();
  const report = (gaps: readonly Gap[], side: "begins" | "ends", at: number) => {
    const groups = Map.groupBy(gaps, (gap) =>
      JSON.stringify(
        gap.how === "unanswered"
          ? [gap.source, ...(side === "begins" ? [gap.because, gap.since] : [])]
          : [gap.how, gap.source, gap.what],
      ),
    );
    for (const [first, ...others] of groups.values()) {
      if (first === undefined) continue;
      const what = [first, ...others].map((gap) => gap.what);
      const words = WORDS[first.how][side](first, partsText(what));
      if (words !== null) emit({ at, ...words, incident: null, about: { source: first.source, what } });
    }
  };
  return (gaps, at) => {
    const now = new Map(gaps.map((gap) => [JSON.stringify([gap.how, gap.source, gap.what]), gap]));
    const begun = [...now].flatMap(([key, gap]) => (known.has(key) ? [] : [gap]));
    report(
      begun.map(({ since, ...gap }) => (since === undefined || since >= at ? gap : { ...gap, since })),
      "begins",
      at,
    );
    const ended: Gap[] = [];
    for (const [key, gap] of known) {
      if (now.has(key)) continue;
      if (gap.how === "partial" && gaps.some((one) => isUnansweredOf(one, gap))) now.set(key, gap);
      else ended.push(gap);
    }
    report(ended, "ends", at);
    known = now;
  };
}

/** Whether a gap says that whoever left out `part` has not answered the question that would show it. */
const isUnansweredOf = (gap: Gap, part: Gap): boolean =>
  gap.how === "unanswered" &&
  gap.of === part.of &&
  (gap.metric === undefined || part.metric === undefined || gap.metric === part.metric) &&
  (gap.source === part.source || part.source.startsWith(`${gap.source} `)) &&
  (gap.services === undefined ||
    part.services === undefined ||
    part.services.some((service) => gap.services?.includes(service)));
