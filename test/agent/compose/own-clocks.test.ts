import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import type { Patience } from "../../../core/ports.ts";
import { openUnsteadyWatch, recordingOf } from "../../../evals/bench/sources.ts";
import { KINDS, type Kind, MOODS, type Mood, type UnsteadySources } from "../../../evals/bench/unsteady-sources.ts";

const bundle = recordingOf(3);
const STEP = 15_000;
/** As long as one answer may take in the product: none of what hangs is over before its run is. */
const ANSWER_MS = 10_000;

/**
 * No time at all: an answer is late as soon as its server has taken a question and keeps it, and not before. So what these
 * evaluations do without is exactly what was never said, however slow the machine is.
 */
function untilKept(sources: UnsteadySources): Patience {
  return {
    begin: () => ({
      async isThere({ source }, answer) {
        const kind = KINDS.find((one) => source.endsWith(one));
        let settled = false;
        const end = () => {
          settled = true;
        };
        answer.then(end, end);
        while (!settled && !(kind !== undefined && sources.keeps(kind))) await turn();
        return settled;
      },
    }),
  };
}

interface Ran {
  readonly events: readonly WatchEvent[];
  /** Questions that the unsteady source kept when the evaluation ended that first told of an incident. */
  readonly kept: number;
}

async function run(from: number, until: number, unsteady?: { kind: Kind; mood: Mood; at: number }): Promise<Ran> {
  await using watch = await openUnsteadyWatch(bundle, { answerMs: ANSWER_MS, patience: untilKept, from });
  let kept: number | null = null;
  while (watch.now() <= until) {
    if (unsteady !== undefined && watch.now() >= unsteady.at) watch.be(unsteady.kind, unsteady.mood);
    await watch.evaluate();
    const told = watch.events.some(({ event }) => event === "incident.detected");
    if (told && unsteady !== undefined) kept ??= watch.held(unsteady.kind);
  }
  return { events: watch.events, kept: kept ?? 0 };
}

const firstAt = ({ events }: Ran, event: WatchEvent["event"]): number | undefined =>
  events.find((one) => one.event === event)?.at;

describe("a source that hangs, refuses or drips a byte a second", async () => {
  const whole = await run(bundle.incident.watch.start, bundle.incident.watch.end);
  const detected = firstAt(whole, "incident.detected") ?? 0;
  const executed = firstAt(whole, "plan.executed") ?? 0;
  const [from, moodAt, until] = [detected - 12 * STEP, detected - 4 * STEP, executed + 2 * STEP];
  const well = await run(from, until);

  it("is asked in a recording whose incident is found and undone", () => {
    expect(firstAt(well, "incident.detected")).toBe(detected);
    expect(firstAt(well, "plan.executed")).toBe(executed);
  });

  /**
   * Without these nothing is known of the deploy, of what it would be rolled back to, or of what its service calls: then
   * its timing alone decides nothing.
   */
  const NEEDED: readonly Kind[] = ["metrics", "changes", "rollouts", "topology"];
  const cases = KINDS.flatMap((kind) => MOODS.map((mood) => ({ kind, mood })));

  it.each(cases)("$kind $mood: what does not need it is decided in the same evaluation", async ({ kind, mood }) => {
    const ran = await run(from, until, { kind, mood, at: moodAt });
    if (kind === "metrics") {
      // What they say is unknown: neither trouble nor health, and nothing is done.
      expect(firstAt(ran, "incident.detected")).toBeUndefined();
    } else {
      expect(firstAt(ran, "incident.detected")).toBe(detected);
      // The evaluation ended while the answer had not been given.
      if (mood !== "refuses") expect(ran.kept).toBeGreaterThan(0);
    }
    if (!NEEDED.includes(kind)) expect(firstAt(ran, "plan.executed")).toBe(executed);
    // Said once each, since it never answers again.
    const said = ran.events.filter(({ event, text }) => event === "source.down" && text.includes(` ${kind} `));
    const what = said.map(({ text }) => /\((.+?)\)/.exec(text)?.[1]);
    expect(new Set(what).size).toBe(what.length);
    expect(ran.events.filter(({ event }) => event === "tick.failed")).toEqual([]);
  });
});
