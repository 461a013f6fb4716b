import type { LastEvaluation } from "../../core/model/last-evaluation.ts";
import type { WatchEvent } from "./events.ts";

/** Which sources do not answer, as the events of a watch tell. */
export interface SourcesDown {
  note(event: Pick<WatchEvent, "event" | "about" | "at">): void;
  /** In the order in which they went down. */
  down(): LastEvaluation["down"];
}

export function createSourcesDown(): SourcesDown {
  const sources = new Map<string, { readonly parts: Set<string>; readonly since: number }>();
  return {
    note({ event, about, at }) {
      if (about === undefined) return;
      const { parts, since } = sources.get(about.source) ?? { parts: new Set<string>(), since: at };
      if (event === "source.down") for (const what of about.what) parts.add(what);
      if (event === "source.up") for (const what of about.what) parts.delete(what);
      if (parts.size > 0) sources.set(about.source, { parts, since });
      else sources.delete(about.source);
    },
    down: () => [...sources].map(([source, { parts, since }]) => ({ source, parts: [...parts], since })),
  };
}
