import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createPatience, evaluationLimits, gateLimits, type PatienceLimits } from "../../../agent/compose/patience.ts";

const LIMITS: PatienceLimits = { capMs: 3000, floorMs: 1000 };
const QUESTION = { source: "kubernetes", what: "rollouts" };

/** Virtual time: timers and the clock alone, so that the event loop still turns. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const settling = (ms: number, end: "answers" | "fails" = "answers") =>
  new Promise((resolve, reject) => {
    setTimeout(() => (end === "answers" ? resolve(null) : reject(new Error("refused"))), ms);
  });

/** Asks round by round; what each round waited, ms, and whether the answer was there. */
async function rounds(limits: PatienceLimits, answers: readonly (() => Promise<unknown>)[], source = QUESTION) {
  const patience = createPatience(limits);
  const seen: [waitedMs: number, isThere: boolean][] = [];
  for (const answer of answers) {
    const asked = answer();
    asked.catch(() => {});
    const began = performance.now();
    const waiting = patience.begin().isThere(source, asked);
    let over = false;
    void waiting.then(() => {
      over = true;
    });
    for (let i = 0; i < 200 && !over; i += 1) {
      await new Promise(setImmediate);
      await new Promise(setImmediate);
      if (!over) await vi.advanceTimersByTimeAsync(100);
    }
    seen.push([performance.now() - began, await waiting]);
    await vi.advanceTimersByTimeAsync(15_000);
  }
  return seen;
}

describe("how long an evaluation waits for a source", () => {
  const never = new Promise(() => {});
  it.each<[string, readonly (() => Promise<unknown>)[], readonly (readonly [number, boolean])[]]>([
    ["one that is not known yet is waited for as long as may be", [() => settling(2500)], [[2500, true]]],
    [
      "one that answers at once is waited for as long as that may vary, and no longer",
      [...Array.from({ length: 3 }, () => () => settling(100)), () => settling(2000)],
      [
        [100, true],
        [100, true],
        [100, true],
        [1000, false],
      ],
    ],
    [
      "one that usually takes two seconds is waited for that long",
      [() => settling(2000), () => settling(2000), () => settling(2000)],
      [
        [2000, true],
        [2000, true],
        [2000, true],
      ],
    ],
    [
      "one that hangs is waited for once, and then only looked at",
      [() => never, () => never, () => never],
      [
        [3000, false],
        [0, false],
        [0, false],
      ],
    ],
    [
      "one whose reads end by their own time limit is not waited for again either",
      [() => settling(10_000, "fails"), () => settling(10_000, "fails"), () => settling(2000, "fails")],
      [
        [3000, false],
        [0, false],
        [0, false],
      ],
    ],
    [
      "one that refuses at once has settled",
      [() => settling(0, "fails"), () => settling(0, "fails")],
      [
        [0, true],
        [0, true],
      ],
    ],
    [
      "one that was late has its time again once an answer came in time",
      [() => settling(10_000), () => settling(100), () => settling(100)],
      [
        [3000, false],
        [0, false],
        [100, true],
      ],
    ],
  ])("%s", async (_, answers, expected) => {
    const seen = await rounds(LIMITS, answers);
    expect(seen.map(([, isThere]) => isThere)).toEqual(expected.map(([, isThere]) => isThere));
    seen.forEach(([ms], index) => {
      // Time moves by a tenth of a second here.
      expect(Math.abs(ms - (expected[index]?.[0] ?? 0))).toBeLessThanOrEqual(100);
    });
  });

  it.each([1000, 15_000, 30_000, 60_000, 300_000])(
    "at a step of %i ms a late source never holds an evaluation beyond its step, and is late before its time limit",
    (stepMs) => {
      const { capMs, floorMs } = evaluationLimits(stepMs);
      expect(capMs).toBeLessThanOrEqual(Math.max(1000, stepMs / 5));
      expect(capMs).toBeLessThan(10_000);
      expect(floorMs).toBeLessThanOrEqual(capMs);
      expect(gateLimits(stepMs).firstMs).toBe(capMs);
    },
  );
});
