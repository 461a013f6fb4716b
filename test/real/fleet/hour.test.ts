import fc from "fast-check";
import { expect, it } from "vitest";
import { INNOCENT, TROUBLES } from "./deck.ts";
import { REST_SECONDS, schedule } from "./hour.ts";
import { BY_GIT, LARGE_FLEET, LATER, ROLLOUTS } from "./services.ts";

const SERVICES = [...LARGE_FLEET, ...ROLLOUTS, ...BY_GIT, ...LATER];
/** The published seeds of the long test. */
const SEEDS = [11, 23, 47];

it("an hour holds every kind as often as its deck, each at a service that rests, ten or more overlapping", () => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...SEEDS), fc.nat()), (seed) => {
      const { troubles, innocent, bursts } = schedule(SERVICES, seed);
      for (const [deck, placed] of [
        [TROUBLES, troubles],
        [INNOCENT, innocent],
      ] as const) {
        const found = Map.groupBy(placed, ({ card }) => card.kind);
        expect([...found].map(([kind, all]) => [kind, all.length]).toSorted()).toEqual(
          deck.map(({ kind, times }) => [kind, times]).toSorted(),
        );
      }
      const all = [...troubles, ...innocent].toSorted((a, b) => a.at - b.at);
      for (const [, own] of Map.groupBy(all, ({ service }) => service))
        for (const [index, { at }] of own.entries())
          expect(at - (own[index - 1]?.at ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(REST_SECONDS);
      const overlapping = troubles.filter((one) =>
        troubles.some((other) => other !== one && Math.abs(other.at - one.at) <= 12),
      );
      expect(overlapping.length).toBeGreaterThanOrEqual(10);
      expect(new Set(all.map(({ service }) => service)).size).toBeGreaterThanOrEqual(12);
      expect(Math.max(...all.map(({ at }) => at))).toBeLessThan(3600 - REST_SECONDS);
      expect(bursts.length).toBeGreaterThan(6);
    }),
    { numRuns: 500 },
  );
});

it("half of the services have no edges", () => {
  const joined = new Set(SERVICES.flatMap(({ name, calls }) => calls.flatMap(({ callee }) => [name, callee])));
  expect(2 * SERVICES.filter(({ name }) => !joined.has(name)).length).toBeGreaterThanOrEqual(SERVICES.length);
});
