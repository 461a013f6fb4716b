import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { useWithRequests } from "../../../core/correlation/use-with-requests.ts";
import type { Series } from "../../../core/model/signal.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const ONSET = T0 + 60 * MINUTE;
const AT = ONSET + 5 * MINUTE;

/** One service whose use is what it is asked times what a request costs, both times a factor since the onset; noise of 3 %. */
function world(asked: number, cost: number, seed = 1, service = "cart"): readonly Series[] {
  const noise = (i: number, salt: number) => 1 + 0.03 * Math.sin(i * 12.9898 + salt * 78.233 + seed);
  const times = Array.from({ length: (AT - T0) / STEP + 1 }, (_, i) => T0 + i * STEP);
  const since = (at: number, factor: number) => (at > ONSET ? factor : 1);
  const rates = times.map((at, i) => 20 * since(at, asked) * noise(i, 1));
  const series = (metric: string, values: readonly number[]): Series => ({
    service,
    metric,
    unit: "",
    worse: "up",
    labels: {},
    startAt: T0,
    stepMs: STEP,
    values: [...values],
  });
  return [
    series("request_rate", rates),
    series(
      "cpu_usage",
      times.map((at, i) => 0.01 * (rates[i] ?? 0) * since(at, cost) * noise(i, 2)),
    ),
  ];
}

const found = (series: readonly Series[], worse: Readonly<Record<string, readonly string[]>>) =>
  useWithRequests(
    indexSeries([...series], "version"),
    new Map(Object.entries(worse).map(([service, metrics]) => [service, new Set(metrics)])),
    onsetAt(ONSET),
    AT,
  );
const alone = { cart: ["cpu_usage"] };

describe("a processor that is used more", () => {
  it.each<readonly [string, readonly Series[], Readonly<Record<string, readonly string[]>>, boolean]>([
    ["is explained by twice the requests at the same cost", world(2, 1), alone, true],
    ["is explained by twice the requests at a lower cost", world(2, 0.8), alone, true],
    ["is not where each request costs twice as much", world(1, 2), alone, false],
    ["is not where more requests come and each costs more", world(1.5, 1.5), alone, false],
    ["is not where as many requests come as before", world(1, 1), alone, false],
    ["is not where requests are not measured", world(2, 1).slice(1), alone, false],
    ["is not where requests fail as well", world(2, 1), { cart: ["cpu_usage", "error_rate"] }, false],
    [
      "is not where another degraded service stays unexplained",
      world(2, 1),
      { ...alone, mail: ["memory_usage"] },
      false,
    ],
  ])("%s", (_, series, worse, isExplained) => {
    expect([...found(series, worse).keys()]).toEqual(isExplained ? ["cart"] : []);
  });

  it("is explained by requests for any rise of these by a third or more, and by no rise of what each of them costs", () => {
    const seeds = fc.integer({ min: 1, max: 1000 });
    const rise = fc.double({ min: 1.35, max: 8, noNaN: true });
    fc.assert(
      fc.property(rise, fc.boolean(), seeds, (factor, isAsked, seed) => {
        const told = found(isAsked ? world(factor, 1, seed) : world(1, factor, seed), alone).get("cart");
        expect(told?.explains).toBe(isAsked ? "use" : undefined);
        expect(Math.abs((told?.ratio ?? factor) / factor - 1)).toBeLessThan(0.1);
      }),
    );
  });
});
