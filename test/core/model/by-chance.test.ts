import { describe, expect, it } from "vitest";
import { byChanceText } from "../../../core/model/by-chance.ts";

describe("how seldom evidence comes by chance", () => {
  it.each([
    [Number.NEGATIVE_INFINITY, "which chance explains as well"],
    [-3, "which chance explains as well"],
    [0, "which chance explains as well"],
    [Math.log(2), "at most one in 2 by chance"],
    [Math.log(1234), "at most one in 1,200 by chance"],
    [Math.log(999_499), "at most one in 1 million by chance"],
    [16, "at most one in 8.9 million by chance"],
    [Math.log(1e9), "less than one in a billion by chance"],
    [700, "less than one in a billion by chance"],
    [Number.POSITIVE_INFINITY, "less than one in a billion by chance"],
  ])("%d nats: %s", (nats, text) => {
    expect(byChanceText(nats)).toBe(text);
  });
});
