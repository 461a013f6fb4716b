import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roomFor, type Seat, seatLimits } from "../../mcp-tools/http-seats.ts";

const LIMITS = seatLimits(8, true);

/** A table of seats, each written as its caller: small letters only read; `*` after it: in use. Oldest use first. */
function seated(written: string): readonly Seat[] {
  return written
    .split(" ")
    .filter((one) => one !== "")
    .map((one, usedAt) => {
      const by = one[0] ?? "";
      return { by, readOnly: by === by.toLowerCase(), usedAt, open: one.endsWith("*") ? 1 : 0 };
    });
}

const asking = (by: string) => ({ by, readOnly: by === by.toLowerCase() });

describe("who makes room for one more session (eight in all, two of one caller, two kept for who may act)", () => {
  it.each([
    ["an empty server has room", "a", "", []],
    ["a caller at its limit gives up its own longest idle session", "a", "a* a", [1]],
    ["and waits where it uses both", "a", "a* a*", "own"],
    ["a writer comes into what is kept for writers", "W", "a* a* b* b* c* c*", []],
    ["a reader does not: one who holds two gives one up for who holds none", "d", "a* a* b* b* c* c*", [0]],
    ["an idle one first", "d", "a* a* b b* c* c*", [2]],
    ["nor does a reader push out a writer", "d", "W* W* a* b* c* d* e* f*", "all"],
    ["a writer pushes out a reader who holds two", "Z", "a* a* b* c* d* e* W* X*", [0]],
    ["an idle session goes before one that is wanted now", "Z", "a* b* c* d e* f* W* X*", [3]],
    ["but not for who holds as much already", "W", "a* b* c* d e* f* W* X*", "all"],
    ["where each holds one and uses it, nobody is pushed out", "Z", "a* b* c* d* e* f* W* X*", "all"],
  ] as const)("%s", (_, by, written, expected) => {
    const seats = seated(written);
    const room = roomFor(asking(by), seats, LIMITS);
    expect("full" in room ? room.full : room.end.map(({ usedAt }) => usedAt)).toEqual(expected);
  });
});

describe("whatever callers do, in whatever order", () => {
  const steps = fc.array(
    fc.record({ by: fc.constantFrom(..."abcdefWXYZ"), does: fc.constantFrom("open", "open", "use", "rest", "end") }),
    { maxLength: 200 },
  );

  it("limits hold, nobody loses to one who holds as much, readers push out no writer, and whoever holds none gets in", () => {
    fc.assert(
      fc.property(steps, (all) => {
        let seats: (Seat & { usedAt: number; open: number })[] = [];
        for (const [now, { by, does }] of all.entries()) {
          const own = seats.filter((one) => one.by === by);
          const last = own.at(-1);
          if (does === "end") seats = seats.filter((one) => one !== last);
          else if (does !== "open") {
            if (last !== undefined) Object.assign(last, { usedAt: now, open: does === "use" ? 1 : 0 });
          } else {
            const caller = asking(by);
            const room = roomFor(caller, seats, LIMITS);
            const count = (of: string) => seats.filter((one) => one.by === of).length;
            if ("full" in room) {
              const others = caller.readOnly ? seats.filter(({ readOnly }) => readOnly) : seats;
              // Nobody is turned away who holds nothing while anybody holds two, or does not use what they hold.
              if (own.length === 0) {
                expect(others.every((one) => count(one.by) === 1 && one.open > 0)).toBe(true);
              }
              continue;
            }
            for (const one of room.end) {
              if (one.by !== by) expect(count(one.by)).toBeGreaterThan(own.length);
              if (caller.readOnly) expect(one.readOnly).toBe(true);
            }
            seats = seats.filter((one) => !room.end.includes(one));
            seats.push({ ...caller, usedAt: now, open: 1 });
          }
          expect(seats.length).toBeLessThanOrEqual(LIMITS.most);
          for (const of of new Set(seats.map((one) => one.by))) {
            expect(seats.filter((one) => one.by === of).length).toBeLessThanOrEqual(LIMITS.ofOne);
          }
          expect(seats.filter(({ readOnly }) => readOnly).length).toBeLessThanOrEqual(LIMITS.most - LIMITS.reserved);
        }
      }),
      { numRuns: 500 },
    );
  });
});
