import type { WatchLine } from "./watch-process.ts";

/** How the watch says that one part of its work takes long while it goes on looking: slow, and not blind. */
const LATE = ": no answer yet; everything else goes on";
export const isLate = ({ text }: Pick<WatchLine, "text">): boolean => text.endsWith(LATE);

/**
 * Why the watch cannot be believed to have looked on: it ended, a source stood down at the end, or a look failed since
 * `from`. Empty: nothing speaks against it.
 */
export function blindness(
  { lines, ended }: { readonly lines: readonly WatchLine[]; readonly ended: boolean },
  from: number,
): readonly string[] {
  const failed = lines.filter((line) => line.event === "tick.failed" && Date.parse(line.at) >= from && !isLate(line));
  return [
    ...(lines.some(({ event }) => event === "watch.started") ? [] : ["the watch never said that it had started"]),
    ...(ended ? ["the watch ended before the end"] : []),
    ...sourcesDown(lines).map((source) => `at the end the watch could not read ${source}`),
    ...failed.slice(0, 1).map(({ text }) => `the watch could not evaluate (${failed.length} times): ${text}`),
  ];
}

/** Sources that were said to be down and not since to answer again. */
function sourcesDown(lines: readonly WatchLine[]): readonly string[] {
  const down = new Set<string>();
  for (const { event, about } of lines) {
    if (about === undefined) continue;
    for (const what of about.what) {
      const name = `${about.source} (${what})`;
      if (event === "source.down") down.add(name);
      if (event === "source.up") down.delete(name);
    }
  }
  return [...down];
}

/**
 * Whether an incident is about what began at onset: detected since, or, where noise had opened it before, then told
 * again with something that is worse and may have begun at onset or later.
 */
export function isNoticed(lines: readonly WatchLine[], onset: number): boolean {
  return lines.some(({ at, event, incident }) => {
    if (incident === null || !event.startsWith("incident.") || Date.parse(at) < onset) return false;
    if (incident.detectedAt >= onset) return true;
    return incident.findings.some(
      ({ verdict, onset: began }) => verdict === "worse" && began !== null && began.latest >= onset,
    );
  });
}
