import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { onceAnIndex } from "../../../core/correlation/once.ts";
import { countsBetween, indexSeries, samplesBetween, valuesBetween } from "../../../core/correlation/samples.ts";
import type { Series } from "../../../core/model/signal.ts";

const STEP = 15_000;
const series = (metric: string, values: readonly (number | null)[], startAt = 0): Series => ({
  service: "cart",
  metric,
  unit: "",
  worse: "up",
  labels: {},
  startAt,
  stepMs: STEP,
  values,
});
const sample = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null });

describe("samples of a span", () => {
  it("are the same with and without their times", () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 40 }), fc.nat(700_000), fc.nat(700_000), (values, from, to) => {
        const one = series("error_rate", values);
        expect(valuesBetween(one, from, to)).toEqual(samplesBetween(one, from, to).map(({ value }) => value));
      }),
    );
  });

  it("give the requests and failures that pairing them by time gives, wherever each series begins", () => {
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 30 }),
        fc.array(sample, { maxLength: 30 }),
        fc.nat(10),
        fc.nat(10),
        fc.nat(600_000),
        fc.nat(600_000),
        (errors, rates, errorStart, rateStart, from, to) => {
          const failed = series("error_rate", errors, errorStart * STEP);
          const rate = series("request_rate", rates, rateStart * STEP);
          const requests = new Map(samplesBetween(rate, from, to).map(({ at, value }) => [at, value * (STEP / 1000)]));
          let k = 0;
          let n = 0;
          for (const { at, value } of samplesBetween(failed, from, to)) {
            k += value * (requests.get(at) ?? 0);
            n += requests.get(at) ?? 0;
          }
          expect(countsBetween(failed, rate, from, to)).toEqual(n > 0 ? { k, n } : null);
        },
      ),
    );
  });
});

describe("a question to an index", () => {
  it("is answered once for each key, and anew for another index", () => {
    const once = onceAnIndex<number | null>();
    const [one, other] = [indexSeries([series("error_rate", [0])], "version"), indexSeries([], "version")];
    const asked: string[] = [];
    const ask = (index: typeof one, key: string) =>
      once(index, key, () => {
        asked.push(key);
        return key === "nothing" ? null : asked.length;
      });
    expect([ask(one, "a"), ask(one, "a"), ask(one, "nothing"), ask(one, "nothing"), ask(other, "a")]).toEqual([
      1,
      1,
      null,
      null,
      3,
    ]);
  });
});
