import { describe, expect, it } from "vitest";
import { busierChance } from "../../../core/correlation/busier.ts";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { surgeAtEntries, usuallyUpTo } from "../../../core/correlation/surge.ts";
import { change, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const LAST = 40;
const made = change({ startedAt: T0 - 60 * MINUTE, finishedAt: T0 - 58 * MINUTE });

/** Requests a second of cart by the minute, from 90 minutes before T0 to 40 minutes after. */
const traffic = (rate: (minute: number) => number) =>
  indexSeries(
    [
      {
        service: "cart",
        metric: "request_rate",
        unit: "req/s",
        worse: "either" as const,
        labels: {},
        startAt: T0 - 90 * MINUTE,
        stepMs: STEP,
        values: Array.from(
          { length: ((90 + LAST) * MINUTE) / STEP },
          (_, i) => rate((i * STEP) / MINUTE - 90) * (1 + 0.02 * Math.sin(i * 1.7)),
        ),
      },
    ],
    "version",
  );
/** Level until ten minutes before T0, then to twice that within half an hour. */
const climb = (minute: number) => 100 * (1 + Math.max(0, Math.min(1, (minute + 10) / 30)));

describe("the chance that what waits for a busier time shows at an onset", () => {
  const chance = (rate: (minute: number) => number, usual: number | null, minute = 5) =>
    busierChance(traffic(rate), made, onsetAt(T0 + minute * MINUTE), new Map(usual === null ? [] : [["cart", usual]]));

  it("is spread over the climb", () => {
    const perMinute = (chance(climb, 210) ?? 0) * MINUTE;
    expect(perMinute).toBeGreaterThan(0.02);
    expect(perMinute).toBeLessThan(0.06);
  });

  const rows: readonly (readonly [string, ReturnType<typeof chance>, number | null])[] = [
    ["is unknown before the climb", chance(climb, 210, -30), null],
    [
      "is the same whatever comes after the onset, since who fails is asked again",
      (chance((m) => climb(m) * (m > 5 ? 5 : 1), 210) ?? 0) - (chance(climb, 210) ?? 0),
      0,
    ],
    ["is none after it", chance(climb, 210, 30), 0],
    ["is none at a second height that is no higher", chance((m) => (m > -55 && m < -40 ? 220 : climb(m)), 230), 0],
    ["is unknown where traffic stayed level", chance(() => 100, 210), null],
    ["is unknown where nobody knows what was served before", chance(climb, null), null],
    ["is unknown where traffic rose beyond what was served before", chance(climb, 100), null],
  ];
  it.each(rows.map(([name, found, expected]) => ({ name, found, expected })))("$name", ({ found, expected }) => {
    if (expected === null) expect(found).toBeNull();
    else expect((found ?? 1) * MINUTE).toBeLessThan(0.005);
  });
});

describe("more traffic where users come in", () => {
  const graph = createCallGraph(null);
  const surge = (usual: number | null) => {
    const known = usual === null ? undefined : [{ service: "cart", center: usual, scale: usual / 40, days: 7 }];
    return surgeAtEntries(traffic(climb), graph, onsetAt(T0), T0 + LAST * MINUTE, usuallyUpTo(known));
  };

  it.each([
    ["is a surge where nobody knows what is usual", surge(null), 2],
    ["is a surge where it is far more than is usual at this time", surge(100), 1.9],
    ["is a surge by as much as it is more than usual", surge(140), 1.36],
  ])("%s", (_, found, expected) => {
    expect(found).toBeCloseTo(expected, 1);
  });

  it("is none where as much comes at this time on other days", () => {
    expect(surge(200)).toBeNull();
  });
});
