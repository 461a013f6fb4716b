import type { Gap } from "../../core/model/assessment.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { unheardText } from "../../core/model/unheard.ts";
import type { Emit, WatchEvent } from "./events.ts";

interface Words {
  readonly event: WatchEvent["event"];
  readonly text: string;
}

/** How each kind of gap is told when it begins and when it ends; null: it says nothing when it ends. */
const WORDS: Readonly<
  Record<Gap["how"], { readonly begins: (gap: Gap) => Words; readonly ends: (gap: Gap) => Words | null }>
> = {
  unanswered: {
    begins: ({ source, what, because }) => ({ event: "source.down", text: `${source} is down (${what}): ${because}` }),
    ends: ({ source, what }) => ({ event: "source.up", text: `${source} answers again (${what})` }),
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
 * Tells of each gap once when it begins and once when it ends, look by look; a gap is the same by its source and what it leaves
 * unknown. What a source left out of its answer it shows again only in an answer: while it gives none, that gap stays.
 */
export function createReporting(emit: Emit): (gaps: readonly Gap[], at: number) => void {
  let known = new Map<string, Gap>();
  const tell = (words: Words | null, { source, what }: Gap, at: number) => {
    if (words !== null) emit({ at, ...words, incident: null, about: { source, what } });
  };
  return (gaps, at) => {
    const now = new Map(gaps.map((gap) => [JSON.stringify([gap.how, gap.source, gap.what]), gap]));
    for (const [key, gap] of now) {
      if (known.has(key)) continue;
      const { event, text } = WORDS[gap.how].begins(gap);
      const since = gap.since === undefined || gap.since >= at ? "" : `; no data since ${rfc3339(gap.since)}`;
      tell({ event, text: `${text}${gap.how === "unanswered" ? since : ""}` }, gap, at);
    }
    for (const [key, gap] of known) {
      if (now.has(key)) continue;
      if (gap.how === "partial" && gaps.some((one) => isUnansweredOf(one, gap))) now.set(key, gap);
      else tell(WORDS[gap.how].ends(gap), gap, at);
    }
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
