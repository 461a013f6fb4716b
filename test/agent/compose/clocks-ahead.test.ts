import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onThisClock } from "../../../agent/compose/clocks-ahead.ts";
import type { Change } from "../../../core/model/change.ts";
import { unheardText } from "../../../core/model/unheard.ts";
import type { ChangeSource } from "../../../core/ports.ts";

const STEP = 15_000;
const DAY = 86_400_000;
const T0 = 1_700_000_000_000;
const never = new AbortController().signal;

/** A change that happens at `at` by this machine's clock; `takesMs`: how long it rolls out. */
interface Happens {
  readonly id: string;
  readonly at: number;
  readonly takesMs?: number;
}

/** A source that dates what happens by a clock of its own, and a process that asks it. */
function world(happens: readonly Happens[], options: { readonly aheadMs: number; readonly stepMs?: number }) {
  const { aheadMs, stepMs = STEP } = options;
  let now = T0;
  let skew = aheadMs;
  const datedBy = new Map<string, number>();
  const dated = (id: string, at: number): number => {
    const key = `${id}:${at}`;
    datedBy.set(key, datedBy.get(key) ?? at + skew);
    return datedBy.get(key) ?? at;
  };
  const source: ChangeSource = {
    name: "kubernetes",
    changes: async (window) =>
      happens
        .filter(({ at }) => at <= now)
        .map(({ id, at, takesMs = 0 }): Change => {
          const finishedAt = at + takesMs <= now ? dated(`${id} ends`, at + takesMs) : null;
          const kind = {
            kind: "deploy",
            service: id,
            from: "1",
            to: "2",
            source: "kubernetes",
            reversible: true,
          } as const;
          return { id, ...kind, startedAt: dated(id, at), finishedAt };
        })
        .filter(({ startedAt }) => startedAt <= window.to)
        .filter(
          ({ startedAt, finishedAt }) => startedAt >= window.from || finishedAt === null || finishedAt >= window.from,
        ),
  };
  const clock = onThisClock([source], { now: () => now, stepMs });
  return {
    be(ms: number) {
      skew = ms;
    },
    /** What an evaluation that began `lateMs` ago sees, by id; times as seconds since the start. */
    async evaluate(at: number, lateMs = 0) {
      now = at;
      const to = at - lateMs;
      const answer = await clock.changes[0]?.changes({ from: T0 - DAY, to }, never);
      return answer ?? [];
    },
    words: () => clock.lacks().map(unheardText),
  };
}

const seconds = (changes: readonly Change[]) =>
  changes.map(({ id, startedAt, finishedAt }) => [
    id,
    (startedAt - T0) / 1000,
    finishedAt === null ? null : (finishedAt - T0) / 1000,
  ]);

describe("a source of changes whose clock is ahead of this machine's", () => {
  it.each<[string, { aheadMs: number; takesMs?: number; at: number; asks: number[] }, unknown[], string[]]>([
    [
      "not ahead: its times are left as they are",
      { aheadMs: 0, at: 20, takesMs: 5000, asks: [0, 15, 30] },
      [["cart", 20, 25]],
      [],
    ],
    ["behind: nothing can be seen of it", { aheadMs: -40_000, at: 20, asks: [0, 15, 30] }, [["cart", -20, -20]], []],
    [
      "by less than its times tell: none is later than the answer that held it",
      { aheadMs: 900, at: 29.5, asks: [0, 15, 30] },
      [["cart", 30, 30]],
      [],
    ],
    [
      "25 s: its change is known at once, no later than when it was seen",
      { aheadMs: 25_000, at: 29, asks: [0, 15, 30] },
      [["cart", 15, 15]],
      ["24s"],
    ],
    [
      "an hour, and it still rolls out: so is it",
      { aheadMs: 3_600_000, at: 29, takesMs: 60_000, asks: [0, 15, 30] },
      [["cart", 15, null]],
      ["59m59s"],
    ],
    ["a year: so is it", { aheadMs: 365 * DAY, at: 29, asks: [0, 15, 30] }, [["cart", 15, 15]], ["364d23h59m59s"]],
    [
      "and nothing was asked before: it began within a step of when it was seen",
      { aheadMs: 3_600_000, at: 0, asks: [0] },
      [["cart", -15, -15]],
      ["1h"],
    ],
  ])("%s", async (_, { aheadMs, takesMs = 0, at, asks }, seen, said) => {
    const one = world([{ id: "cart", at: T0 + at * 1000, takesMs }], { aheadMs });
    let last: readonly Change[] = [];
    for (const ask of asks) last = await one.evaluate(T0 + ask * 1000);
    expect(seconds(last)).toEqual(seen);
    expect(one.words()).toEqual(
      said.map(
        (by) =>
          `kubernetes: its clock is at least ${by} ahead of this machine's: the times of its changes are uncertain by that`,
      ),
    );
  });

  it("stays known after its clock was set right, and what begins then is dated about when it began", async () => {
    const one = world(
      [
        { id: "cart", at: T0 + 29_000 },
        { id: "pay", at: T0 + 100_000 },
      ],
      { aheadMs: 3_600_000 },
    );
    for (const at of [0, 15, 30]) await one.evaluate(T0 + at * 1000);
    one.be(0);
    await one.evaluate(T0 + 90_000);
    const [, pay] = await one.evaluate(T0 + 105_000);
    expect(pay?.startedAt).toBeGreaterThanOrEqual(T0 + 60_000);
    expect(pay?.startedAt).toBeLessThanOrEqual(T0 + 100_000);
    expect(one.words()).toHaveLength(1);
  });

  it("leaves what begins after an evaluation began to the next one", async () => {
    const one = world([{ id: "cart", at: T0 + 29_500 }], { aheadMs: 0 });
    expect(await one.evaluate(T0 + 30_000, 1000)).toEqual([]);
    expect(one.words()).toEqual([]);
    expect(seconds(await one.evaluate(T0 + 45_000, 1000))).toEqual([["cart", 29.5, 29.5]]);
  });

  const happening = fc.uniqueArray(
    fc.record({
      at: fc.integer({ min: -DAY / 2, max: 600_000 }),
      takesMs: fc.integer({ min: 0, max: 120_000 }),
    }),
    { minLength: 1, maxLength: 8, selector: ({ at }) => at },
  );

  it("loses no change to all evaluations, dates none after it was seen, and keeps their order, whatever the skew", async () => {
    const skew = fc.oneof(
      fc.integer({ min: 0, max: 60_000 }),
      fc.integer({ min: 0, max: 2 * DAY }),
      fc.constant(400 * DAY),
    );
    const late = fc.integer({ min: 0, max: STEP });
    await fc.assert(
      fc.asyncProperty(happening, skew, late, async (drawn, aheadMs, lateMs) => {
        const happens = drawn.map(({ at, takesMs }, index) => ({ id: `c${index}`, at: T0 + at, takesMs }));
        const one = world(happens, { aheadMs });
        const firstSeen = new Map<string, number>();
        let last: readonly Change[] = [];
        for (let at = T0; at <= T0 + 600_000 + 2 * STEP; at += STEP) {
          last = await one.evaluate(at, lateMs);
          for (const change of last) {
            firstSeen.set(change.id, firstSeen.get(change.id) ?? at);
            expect(change.startedAt).toBeLessThanOrEqual(at - lateMs);
            expect(change.finishedAt ?? change.startedAt).toBeGreaterThanOrEqual(change.startedAt);
          }
        }
        const startOf = new Map(last.map(({ id, startedAt }) => [id, startedAt]));
        for (const { id, at } of happens) {
          const began = startOf.get(id);
          expect(began).toBeDefined();
          // Asked about within two steps of when it happened at the latest.
          expect(firstSeen.get(id)).toBeLessThanOrEqual(Math.max(T0 + STEP, at + 2 * STEP));
        }
        const inOrder = happens.toSorted((a, b) => a.at - b.at).map(({ id }) => startOf.get(id) ?? 0);
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });
});
