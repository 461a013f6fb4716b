import { describe, expect, it } from "vitest";
import { presentValue } from "../../../core/config/present-value.ts";
import { loaded, SEED } from "./fixtures.ts";

const config = loaded(SEED);

describe("the present value of a metric", () => {
  it.each([
    ["p99_latency", 180, "p99_latency is 180 ms now"],
    ["p99_latency", 2500, "p99_latency is 2500 ms (2.5 s) now"],
    ["error_rate", 0.004, "error_rate is 0.004 (0.4 %) now"],
    ["request_rate", 120, "request_rate is 120 req/s now"],
    ["error_rate", null, "error_rate has no value now"],
    ["error_rate", Number.NaN, "error_rate has no value now"],
  ])("of %s, %s, is said with its unit", (metric, value, text) => {
    expect(presentValue(config, metric, value)).toEqual({ text, doubts: [] });
  });

  it.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("%s is no value, and doubted", (value) => {
    const text = "error_rate is infinite now, which is no measurement";
    expect(presentValue(config, "error_rate", value)).toEqual({
      text,
      doubts: [`${text}: does its query divide by what may be zero?`],
    });
  });

  it.each([
    [
      "a latency that is still in seconds",
      "p99_latency",
      0.18,
      [
        "p99_latency is 0.18 ms now; the threshold 2000 ms (2 s) of auto_rollback is 11111 times above it: are both in one unit?",
      ],
    ],
    [
      "a latency in µs",
      "p99_latency",
      250_000,
      [
        "p99_latency is 250000 ms (250 s) now; the threshold 2000 ms (2 s) of auto_rollback is 125 times below it: are both in one unit?",
      ],
    ],
    [
      "a share in percent",
      "error_rate",
      3,
      [
        "error_rate is 3 (300 %) now, but it is a ratio from 0 to 1: does its query yield percent, or no share at all?",
        "error_rate is 3 (300 %) now; the threshold 0.02 (2 %) of human_review is 150 times below it: are both in one unit?",
      ],
    ],
  ])("raises a doubt: %s", (_, metric, value, doubts) => {
    expect(presentValue(config, metric, value).doubts).toEqual(doubts);
  });

  it.each([
    ["almost no errors", "error_rate", 0.00001],
    ["no errors", "error_rate", 0],
    ["a latency a hundred times below its threshold", "p99_latency", 20],
    ["a metric without thresholds", "cpu_usage", 0.0001],
  ])("raises none: %s", (_, metric, value) => {
    expect(presentValue(config, metric, value).doubts).toEqual([]);
  });
});
