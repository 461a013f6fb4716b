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
