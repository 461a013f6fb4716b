import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { runLoop } from "../../../agent/watch/loop.ts";
import { createPulse } from "../../../agent/watch/pulse.ts";

const STEP_MS = 15_000;

/** What a pulse says of looks that take so long, each begun on time or as soon as the one before it is over. */
function saidOf(looks: readonly number[], stepMs = STEP_MS): readonly WatchEvent[] {
  const events: WatchEvent[] = [];
  const pulse = createPulse(stepMs, (event) => void events.push(event));
  let at = 0;
  for (const took of looks) {
    pulse.began(at);
    pulse.ended(at + took);
    at += Math.max(took, stepMs);
  }
  return events;
}
const kinds = (looks: readonly number[], stepMs?: number) => saidOf(looks, stepMs).map(({ event }) => event);
const repeat = (count: number, ms: number) => Array.from({ length: count }, () => ms);

describe("the sign of life", () => {
  it.each([
    ["comes once a minute: every fourth look of 15 s", repeat(8, 100), STEP_MS, 2],
    ["every sixtieth look of 1 s", repeat(120, 100), 1000, 2],
    ["with every look of two minutes", repeat(3, 100), 120_000, 3],
  ] as const)("%s", (_, looks, stepMs, count) => {
    expect(kinds(looks, stepMs)).toEqual(repeat(count, 0).map(() => "watch.alive"));
  });

  it("tells how long the last look took and how late it began", () => {
    const [beat] = saidOf([100, 100, 40_000, 700]);
    expect(beat?.status).toEqual({ looks: 4, lastMs: 700, lagMs: 25_000, stepMs: STEP_MS });
    expect(beat?.text).toBe("evaluation 4 took 700ms of a step of 15s, begun 25s late");
  });
});

describe("looks that cannot keep up", () => {
  const slow = STEP_MS + 5000;
  it("are said at the third in a row, and again at twice as many", () => {
    const said = saidOf(repeat(12, slow)).filter(({ event }) => event === "watch.slow");
    expect(said.map(({ status }) => status?.looks)).toEqual([3, 6, 12]);
    expect(said[0]?.text).toBe(
      "3 evaluations in a row took longer than a step of 15s, the last 20s: degradations are detected late",
    );
  });

  it("are not said where a look takes long now and then", () => {
    expect(kinds([slow, slow, 10, slow, slow, 10, slow, 10])).not.toContain("watch.slow");
  });

  it("are over with the first that keeps up, which is said at once, and counted anew", () => {
    const said = saidOf([slow, slow, slow, 10, slow, slow, slow]);
    expect(said.map(({ event }) => event)).toEqual(["watch.slow", "watch.alive", "watch.slow"]);
    expect(said[1]?.text).toContain("evaluations keep up again");
  });

  it("never leave a minute's worth of looks without a word, however long they take", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 4, maxLength: 60 }), (looks) => {
        const beats = saidOf(looks).filter(({ event }) => event === "watch.alive");
        expect(beats.length).toBeGreaterThanOrEqual(Math.floor(looks.length / 4));
      }),
    );
  });
});

describe("a look that hangs", () => {
  afterEach(() => void vi.useRealTimers());

  it("is said while it hangs, at twice the distance each time", async () => {
    vi.useFakeTimers({ now: 0 });
    const control = new AbortController();
    const events: WatchEvent[] = [];
    const running = runLoop(
      {
        open: () => [],
        resume: async () => undefined,
        tick: (abort) => new Promise((resolve) => abort.addEventListener("abort", () => resolve())),
      },
      {
        stepMs: 1000,
        clock: { now: () => Date.now() },
        emit: (event) => void events.push(event),
        abort: control.signal,
      },
    );
    await vi.advanceTimersByTimeAsync(13_000);
    control.abort();
    await running;
    expect(events.map(({ event, status }) => [event, status?.lastMs])).toEqual([
      ["watch.slow", 3000],
      ["watch.slow", 6000],
      ["watch.slow", 12_000],
    ]);
    expect(events[0]?.text).toContain("has been running for 3s");
    expect(vi.getTimerCount()).toBe(0);
  });
});
