import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Course, timingEvidence } from "../../../core/correlation/timing.ts";
import { change, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const nats = (lagMs: number, course: Course = "shift", finishedAt: number | null = T0 + 2 * MINUTE) =>
  timingEvidence(change({ finishedAt }), onsetAt(T0 + lagMs), {
    stepMs: 15_000,
    windowMs: 30 * MINUTE,
    at: T0 + 60 * MINUTE,
    course,
  });

describe("the timing of a change and an onset", () => {
  it("speaks for a change whose rollout the onset falls into", () => {
    expect(nats(30_000)).toBeGreaterThan(1.5);
  });

  it("speaks ever less for it the later after the rollout it began", () => {
    const later = [1, 5, 10, 20].map((minutes) => nats(minutes * MINUTE));
    expect([...later].sort((a, b) => b - a)).toEqual(later);
    expect(nats(20 * MINUTE)).toBeLessThan(0);
  });

  it("rules a change out that began clearly after the onset", () => {
    expect(nats(-2 * MINUTE)).toBeLessThan(-8);
  });

  it("does not rule a change out that began within the step in which the trouble was first seen", () => {
    expect(nats(-10_000)).toBeGreaterThan(-1);
  });

  it("lets a drift begin long after its change", () => {
    expect(nats(25 * MINUTE, "drift")).toBeGreaterThan(nats(25 * MINUTE, "shift"));
  });

  it("counts a change that still rolls out as going on until now", () => {
    expect(nats(20 * MINUTE, "shift", null)).toBeGreaterThan(nats(20 * MINUTE, "shift"));
  });

  it("does not speak less for a rollout in stages the longer its later stages go on", () => {
    const soon = (minutes: number) => nats(MINUTE, "shift", T0 + minutes * MINUTE);
    expect(soon(60)).toBeGreaterThan(soon(15) - 0.25);
    expect(soon(60)).toBeGreaterThan(0.5);
  });

  it("tells of two rollouts in stages the one that began just before the trouble", () => {
    const long = T0 + 20 * MINUTE;
    expect(nats(MINUTE, "shift", long) - nats(4 * MINUTE, "shift", long)).toBeGreaterThan(Math.log(2));
  });

  it("takes a canary for rolled out within minutes, however long it stays one", () => {
    const canary = (minutes: number) =>
      timingEvidence(change({ finishedAt: null, canary: 0.1 }), onsetAt(T0 + MINUTE), {
        stepMs: 15_000,
        windowMs: 30 * MINUTE,
        at: T0 + minutes * MINUTE,
        course: "shift",
      });
    expect(canary(60)).toBeCloseTo(canary(5), 9);
    expect(canary(60)).toBeGreaterThan(1);
  });

  it("speaks more for an old change where the trouble came with the first busier time since, less where it did not", () => {
    const late = (busier: number | null) =>
      timingEvidence(change(), onsetAt(T0 + 60 * MINUTE), {
        stepMs: 15_000,
        windowMs: 30 * MINUTE,
        at: T0 + 70 * MINUTE,
        course: "shift",
        busier,
      });
    expect(late(1 / (20 * MINUTE))).toBeGreaterThan(late(null) + 0.5);
    expect(late(0)).toBeLessThan(late(null));
  });

  it("moves with time and nothing else", () => {
    const shift = fc.integer({ min: 0, max: 10 ** 11 });
    fc.assert(
      fc.property(shift, fc.integer({ min: -600_000, max: 3_600_000 }), (by, lag) => {
        const moved = timingEvidence(
          { kind: "deploy", startedAt: T0 + by, finishedAt: T0 + by + 2 * MINUTE },
          onsetAt(T0 + by + lag),
          {
            stepMs: 15_000,
            windowMs: 30 * MINUTE,
            at: T0 + by + 60 * MINUTE,
            course: "shift",
          },
        );
        expect(moved).toBeCloseTo(nats(lag), 6);
      }),
    );
  });
});
