import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { likelihood } from "../../../core/model/likelihood.ts";
import { durationText } from "../../../core/model/time.ts";
import { percent } from "../../../knowledge/postmortem/figures.ts";
import { ago, contradictions, facts, share } from "./facts.ts";

const within = (span: readonly [number, number] | undefined, value: number): boolean =>
  span !== undefined && span[0] - 1e-9 <= value && value <= span[1] + 1e-9;

describe("what stands in words is read as the numbers that are written so", () => {
  it("a probability", () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (p) => within(share(likelihood(p)), p)));
  });

  it("a share", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (parts) =>
        within(share(percent(parts / 10_000)), parts / 10_000),
      ),
    );
  });

  it("a time that passed", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    fc.assert(fc.property(fc.integer({ min: 1000, max: 9e8 }), (ms) => within(ago(durationText(ms), now), now - ms)));
  });
});

describe("a contradiction", () => {
  it.each<[unknown, unknown, number]>([
    ["a", "b", 1],
    ["a", "a", 0],
    [null, "a", 1],
    [["a", "b"], ["b", "a"], 0],
    [0.976, share("98 %"), 0],
    [0.97, share("98 %"), 1],
    [0.999, share("> 99 %"), 0],
    [0.999, share("< 1 %"), 1],
  ])("%j beside %j: %d", (one, other, count) => {
    const said = [...facts("one", { it: one as string }), ...facts("other", { it: other as string })];
    expect(contradictions(said)).toHaveLength(count);
  });
});
