import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEMO_DURATIONS } from "../../../evals/demo/durations.ts";
import { WORLDS } from "../../../evals/sandbox/worlds.ts";
import { drawSchedule, type Planned, restMs, settleMs } from "../../../evals/soak/schedule.ts";

const WISHES = { forMs: 12 * 60_000, worlds: ["shop", "reports"], durations: DEMO_DURATIONS } as const;
const seeds = fc.integer({ min: 0, max: 1_000_000 });
const isBad = ({ kind }: Planned) => kind !== "innocent";
const pairs = (schedule: readonly Planned[]) =>
  schedule.flatMap((one, index) => schedule.slice(index + 1).map((other) => [one, other] as const));

describe("a soak's schedule", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(drawSchedule(1, WISHES)).toEqual(drawSchedule(1, WISHES));
    expect(drawSchedule(1, WISHES)).not.toEqual(drawSchedule(2, WISHES));
  });

  it("never breaks a world twice at once, and leaves every version long enough to be restored", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const [one, other] of pairs(drawSchedule(seed, WISHES))) {
          const apart = other.atMs - one.atMs;
          expect(apart).toBeGreaterThanOrEqual(0);
          if (isBad(one) && isBad(other) && one.world === other.world)
            expect(apart).toBeGreaterThanOrEqual(settleMs(DEMO_DURATIONS) - 1);
          if (one.service === other.service) expect(apart).toBeGreaterThanOrEqual(restMs(DEMO_DURATIONS));
        }
      }),
    );
  });

  it("deploys services of their world, within its time, and leaves the last bad one time to be undone", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        for (const { atMs, world, service, kind } of drawSchedule(seed, WISHES)) {
          expect(WORLDS[world].services).toContain(service);
          expect(atMs).toBeGreaterThanOrEqual(0);
          const rest = kind === "innocent" ? 0 : settleMs(DEMO_DURATIONS) - 1;
          expect(atMs + rest).toBeLessThanOrEqual(WISHES.forMs);
        }
      }),
    );
  });

  it("breaks both worlds at once, and has innocent deploys seconds before somebody else's bad one", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const schedule = drawSchedule(seed, WISHES);
        const near = (apart: number, fits: (one: Planned, other: Planned) => boolean) =>
          pairs(schedule).filter(([one, other]) => other.atMs - one.atMs < apart && fits(one, other)).length;
        const settle = settleMs(DEMO_DURATIONS);
        expect(near(settle, (one, other) => isBad(one) && isBad(other) && one.world !== other.world)).toBeGreaterThan(
          2,
        );
        expect(near(15_000, (one, other) => !isBad(one) && isBad(other))).toBeGreaterThan(0);
        expect(schedule.filter(isBad).length).toBeGreaterThanOrEqual(8);
        expect(schedule.filter((one) => !isBad(one)).length).toBeGreaterThanOrEqual(8);
      }),
    );
  });
});
