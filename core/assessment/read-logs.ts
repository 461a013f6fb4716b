import type { Components } from "../correlation/components.ts";
import { type AskContext, type Asking, oneAtATime } from "../model/asking.ts";
import type { LogLine } from "../model/evidence.ts";
import type { Window } from "../model/time.ts";
import type { LogSource } from "../ports.ts";

/** Lines read of one question, before and after the onset each; newest first where there are more. */
const LINES = 2000;
const BEFORE_MS = 3_600_000;

/**
 * So many services, or sets of services, are asked about by themselves at most: with `LINES` of each, before the onset and after it,
 * that is some 128,000 lines of a few hundred bytes, and a wide cause shows in those as well.
 */
const MOST_ASKED = 32;

/** What was written by everybody in one part of the time, and what was left out of it. */
export interface FirstLines {
  readonly part: (typeof PARTS)[number];
  readonly lines: readonly LogLine[];
  readonly more: boolean;
}

const PARTS = ["logs before the onset", "logs"] as const;

const windowOf = (part: FirstLines["part"], from: number, now: number): Window =>
  part === "logs" ? { from, to: now } : { from: Math.max(0, from - BEFORE_MS), to: from };

/** Reads the logs about an onset from one source: what everybody wrote, then what that left out. */
export interface LogReader {
  /** The newest lines of all services, from `since` on (Unix ms) and of the hour before. */
  first(context: AskContext, since: number): Promise<readonly FirstLines[]>;
  /**
   * The same lines, and where they were cut those of the degraded services: nobody's lines hide those of another. What something known
   * joins to a degraded service is asked about together, so that its lines are the same whatever else writes (S16); where even
   * those are too many, each degraded service by itself. `since`: by degraded service, Unix ms.
   */
  rest(
    context: AskContext,
    first: readonly FirstLines[],
    since: ReadonlyMap<string, number>,
    components: Components,
  ): Promise<readonly LogLine[]>;
}

type Answer = Awaited<ReturnType<LogSource["search"]>>;

/** One reader a caller: a question that is late is taken up in the round that finds its answer. */
export function createLogReader(source: LogSource): LogReader {
  const everybody = new Map(
    PARTS.map((part) => [part, oneAtATime<Answer>({ of: "logs", source: source.name, what: part })] as const),
  );
  let asking = new Map<string, Asking<Answer>>();

  async function search(
    context: AskContext,
    question: Asking<Answer>,
    window: Window,
    services?: readonly string[],
  ): Promise<Omit<FirstLines, "part">> {
    const query = { window, limit: LINES, ...(services === undefined ? {} : { services }) };
    const read = await question(context, () => source.search(query, context.abort));
    if (read === null) return { lines: [], more: false };
    // An answer to an earlier round may speak of times that another question covers now.
    const { lines, more } = read.answer;
    const isOld = read.askedAt !== context.now;
    return { more, lines: isOld ? lines.filter(({ at }) => at >= window.from && at <= window.to) : lines };
  }

  return {
    first: (context, since) =>
      Promise.all(
        [...everybody].map(async ([part, question]) => ({
          part,
          ...(await search(context, question, windowOf(part, since, context.now))),
        })),
      ),
    async rest(context, first, since, components) {
      const used = new Map<string, Asking<Answer>>();
      const about = (services: readonly string[], part: FirstLines["part"], from: number) => {
        const key = JSON.stringify([part, services]);
        const what =
          services.length === 1 ? `${part} of ${services[0]}` : `${part} of ${services[0]} and what is joined to it`;
        const question = asking.get(key) ?? oneAtATime<Answer>({ of: "logs", source: source.name, what });
        used.set(key, question);
        return search(context, question, windowOf(part, from, context.now), services);
      };
      const asked = [...since].slice(0, MOST_ASKED);
      const sets = Map.groupBy(asked, ([service]) => components.of(service));
      const whole = async ({ part, lines, more }: FirstLines): Promise<readonly LogLine[]> => {
        if (!more) return lines;
        const found = await Promise.all(
          [...sets].map(async ([set, degraded]) => {
            const from = Math.min(...degraded.map(([, at]) => at));
            const joined = await about([...set].sort(), part, from);
            if (!joined.more) return joined.lines;
            if (set.size === 1) return joined.lines;
            const own = await Promise.all(degraded.map(([service, at]) => about([service], part, at)));
            const names = new Set(degraded.map(([service]) => service));
            return [...joined.lines.filter(({ service }) => !names.has(service)), ...own.flatMap((one) => one.lines)];
          }),
        );
        const read = new Set([...sets.keys()].flatMap((set) => [...set]));
        return [...lines.filter(({ service }) => !read.has(service)), ...found.flat()];
      };
      const lines = await Promise.all(first.map(whole));
      asking = used;
      return lines.flat();
    },
  };
}
