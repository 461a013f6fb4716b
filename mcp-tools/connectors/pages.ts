import { BeyondBound, countText } from "./bounds.ts";

/** One page, and where the next one is; null: it was the last. */
export interface Page<T, At> {
  readonly items: readonly T[];
  readonly next: At | null;
}

export interface PageBounds {
  /** How people call the items: "objects", "flags". */
  readonly what: string;
  readonly most: number;
  /** Items of a full page. */
  readonly pageSize: number;
}

/**
 * All items of a list that comes page by page. Throws `BeyondBound` beyond `most` items, beyond as many pages as these fill
 * and half as many again (filters leave gaps), and for a page that was given before: such a list has no end.
 */
export async function allPages<T, At>(
  first: At,
  { what, most, pageSize }: PageBounds,
  read: (at: At) => Promise<Page<T, At>>,
): Promise<readonly T[]> {
  const pages = Math.ceil((1.5 * most) / pageSize);
  const items: T[] = [];
  const seen = new Set<At>();
  for (let at: At | null = first; at !== null; ) {
    if (seen.has(at)) throw new BeyondBound(`its ${what} once: a page names one as the next that was read before`);
    if (seen.size >= pages) throw new BeyondBound(`${countText(pages)} pages of ${what}`);
    seen.add(at);
    const page: Page<T, At> = await read(at);
    const isMore = page.next !== null && items.length + page.items.length >= most;
    if (isMore || items.length + page.items.length > most) throw new BeyondBound(`${countText(most)} ${what}`);
    for (const item of page.items) items.push(item);
    at = page.next;
  }
  return items;
}
