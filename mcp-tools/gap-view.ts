import { z } from "zod";
import type { Gap } from "../core/model/assessment.ts";
import { rfc3339 } from "../core/model/time.ts";
import { cleanText, name } from "../core/model/untrusted-text.ts";

/** In results: sources that were not there. What they would have said is unknown, not fine (S9). */
export const gaps = z.array(z.string());

/** So much of why: what a peer said within the fence loses its end where it is longer, and never the fence's. */
const BECAUSE_CHARS = 150;

function cut(because: string): string {
  const text = cleanText(because, BECAUSE_CHARS);
  return text.lastIndexOf("«") > text.lastIndexOf("»") ? `${text}»` : text;
}

/** So many are named; the rest are counted. */
const NAMED = 8;

export function gapViews(found: readonly Gap[]): string[] {
  const named = found.slice(0, NAMED).map(({ source, what, because, since }) => {
    const sinceText = since === undefined ? "" : ` since ${rfc3339(since)}`;
    return `${name(source)}: ${cleanText(what, 100)} unknown${sinceText}, ${cut(because)}`;
  });
  return found.length > NAMED ? [...named, `and ${found.length - NAMED} more`] : named;
}
