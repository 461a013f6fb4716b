import { describe, expect, it } from "vitest";
import { locateOnset } from "../../../core/detection/onset.ts";

const STEP = 15_000;
const locate = (surprises: readonly number[]) => locateOnset(surprises, 100 * STEP, STEP);

describe("the onset", () => {
  it("lies in the step that the first surprising sample covers", () => {
    const onset = locate([-5, -5, -5, 6, 7, 7]);
    expect(onset).toEqual({ at: 102 * STEP, earliest: 102 * STEP, latest: 103 * STEP });
  });

  it("is uncertain where a sample says nothing", () => {
    const onset = locate([-5, -5, 0.1, 6, 7]);
    expect(onset?.earliest).toBe(101 * STEP);
    expect(onset?.latest).toBe(103 * STEP);
  });

  it("reaches back over missing samples: it may have begun in the gap", () => {
    expect(locate([-5, -5, Number.NaN, Number.NaN, 6, 7])?.earliest).toBe(101 * STEP);
  });

  it("is not pulled to the middle of a ramp", () => {
    expect(locate([-5, -5, 1, 3, 5, 8, 8, 8])?.at).toBe(101 * STEP);
  });

  it("does not exist without a sample", () => {
    expect(locate([])).toBeNull();
    expect(locate([Number.NaN])).toBeNull();
  });
});
