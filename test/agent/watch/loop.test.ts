import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { runLoop } from "../../../agent/watch/loop.ts";

describe("the loop", () => {
  it("says a look that failed and goes on with the next one, until it is told to stop", async () => {
    const control = new AbortController();
    const events: WatchEvent[] = [];
    let looks = 0;
    await runLoop(
      {
        open: () => [],
        resume: async () => undefined,
        tick: async () => {
          looks += 1;
          if (looks === 1) throw new Error("the disk is full");
          control.abort();
        },
      },
      { stepMs: 1, clock: { now: () => 0 }, emit: (event) => void events.push(event), abort: control.signal },
    );
    expect(looks).toBe(2);
    expect(events).toMatchObject([
      { event: "tick.failed", text: "this evaluation failed: the disk is full", incident: null },
    ]);
  });

  it("says that nothing is detected and nobody notified once several in a row have failed, and when that is over", async () => {
    const control = new AbortController();
    const texts: string[] = [];
    let looks = 0;
    await runLoop(
      {
        open: () => [],
        resume: async () => undefined,
        tick: async () => {
          looks += 1;
          if (looks === 5) control.abort();
          if (looks !== 4 && looks !== 5) throw new Error("the gate does not answer");
        },
      },
      { stepMs: 1, clock: { now: () => 0 }, emit: ({ text }) => void texts.push(text), abort: control.signal },
    );
    const why = "this evaluation failed: the gate does not answer";
    const since = "since 1970-01-01T00:00:00.000Z";
    expect(texts).toEqual([
      why,
      why,
      `UNSHIP CANNOT EVALUATE ${since}, 3 evaluations in a row: nothing is detected, and nobody is notified of a degradation. ${why}`,
      `evaluations succeed again: nothing was evaluated ${since}, and nobody was notified of a degradation`,
    ]);
  });

  it("does not start where nothing can be taken up again: the ledger is the truth", async () => {
    const failing = {
      open: () => [],
      resume: () => Promise.reject(new Error("no ledger")),
      tick: async () => undefined,
    };
    const options = { stepMs: 1, clock: { now: () => 0 }, emit: () => undefined, abort: new AbortController().signal };
    await expect(runLoop(failing, options)).rejects.toThrow("no ledger");
  });
});
