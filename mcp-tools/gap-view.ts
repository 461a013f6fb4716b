import { z } from "zod";
import type { Gap } from "../core/model/assessment.ts";
import { type Fenced, own } from "../core/model/fenced.ts";
import { namesIn, type SentenceFence, sentenceFence } from "../core/model/sentence-fence.ts";
import { rfc3339 } from "../core/model/time.ts";
import { name } from "../core/model/untrusted-text.ts";

/** In results: sources that were not there. What they would have said is unknown, not fine (S9). */
export const gaps = z.array(z.string());

/** So much of why: what a peer said within the fence loses its end where it is longer, and never the fence's. */
const BECAUSE_CHARS = 150;

/** So many are named; the rest are counted. */
const NAMED = 8;

/** Of a gap, these are words of ours. */
const OURS = new Set(["of", "how", "what"]);

/** `sentence`: the fence of the evidence that they belong to; without it only what the gaps name themselves is known. */
export function gapViews(
  found: readonly Gap[],
  sentence: SentenceFence["sentence"] = sentenceFence(namesIn(found, OURS)).sentence,
): Fenced[] {
  const named = found.slice(0, NAMED).map(({ source, what, because, since }) => {
    const sinceText = since === undefined ? "" : own` since ${rfc3339(since)}`;
    return own`${name(source)}: ${sentence(what, 100)} unknown${sinceText}, ${sentence(because, BECAUSE_CHARS)}`;
  });
  return found.length > NAMED ? [...named, own`and ${found.length - NAMED} more`] : named;
}
