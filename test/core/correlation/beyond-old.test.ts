import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beyondOld, type CountedPair } from "../../../core/correlation/beyond-old.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { failsMoreThanOld, versionSplit } from "../../../core/correlation/version-split.ts";
import { change, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 120;
const RATE = 40;

/** One sample of a rollout: what the new version and the old one failed, and the share that the new one served. */
type Sample = readonly [fresh: number, old: number, share: number];

/** A service that failed 0.1 % for half an hour, then these samples of both versions. */
function rollout(samples: readonly Sample[], counted = true) {
  const row = (metric: string, labels: Record<string, string>, before: number | null, since: readonly number[]) => ({
    service: "cart",
    metric,
    unit: "",
    worse: "up" as const,
    labels,
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values: [...Array.from({ length: BEFORE }, () => before), ...since],
  });
  const of = (pick: (sample: Sample) => number) => samples.map(pick);
  const both = of(([fresh, old, share]) => share * fresh + (1 - share) * old);
  const rates = [
    row(
      "request_rate",
      { version: "v1.0.0" },
      RATE,
      of(([, , share]) => RATE * (1 - share)),
    ),
    row(
      "request_rate",
      { version: "v1.1.0" },
      null,
      of(([, , share]) => RATE * share),
    ),
  ];
  const all = [
    row("error_rate", {}, 0.001, both),
    row(
      "request_rate",
      {},
      RATE,
      of(() => RATE),
    ),
    row(
      "error_rate",
      { version: "v1.0.0" },
      0.001,
      of(([, old]) => old),
    ),
    row(
      "error_rate",
      { version: "v1.1.0" },
      null,
      of(([fresh]) => fresh),
    ),
    ...(counted ? rates : []),
  ];
  const index = indexSeries(all, "version");
  const at = T0 + samples.length * STEP;
  return {
    split: versionSplit(index, change(), onsetAt(T0), at, new Set(["error_rate"])),
    own: failsMoreThanOld(index, change(), onsetAt(T0), at),
  };
}

const staged = (fresh: readonly number[], old: readonly number[]): readonly Sample[] =>
  fresh.map((value, i) => [value, old[i] ?? 0, (i + 1) / (fresh.length + 1)]);

describe("a version that goes out while something else ails its service", () => {
  const rows: readonly (readonly [string, readonly Sample[], "for" | "against"])[] = [
    [
      "speaks for its change where it fails three times as much",
      staged(Array(6).fill(0.48), Array(6).fill(0.14)),
      "for",
    ],
    [
      "also where the outage swells beside it",
      staged([0.45, 0.48, 0.52, 0.55, 0.58, 0.6], [0.08, 0.12, 0.16, 0.2, 0.24, 0.26]),
      "for",
    ],
    ["speaks against it where both fail alike", staged(Array(6).fill(0.3), Array(6).fill(0.3)), "against"],
    ["also where it fails a fifth more", staged(Array(6).fill(0.24), Array(6).fill(0.2)), "against"],
    [
      "also where both fail alike in an outage that swells",
      staged([0.02, 0.08, 0.15, 0.22, 0.3, 0.38], [0.02, 0.08, 0.15, 0.22, 0.3, 0.38]),
      "against",
    ],
    [
      "also where it got most of its requests after the outage began",
      staged([0.001, 0.17, 0.25, 0.25, 0.25, 0.25], [0.001, 0.08, 0.25, 0.25, 0.25, 0.25]),
      "against",
    ],
    ["also where it fails less", staged(Array(6).fill(0.1), Array(6).fill(0.3)), "against"],
  ];
  const says = (nats: number | undefined) => ((nats ?? 0) > 1 ? "for" : (nats ?? 0) < -1 ? "against" : "neither");

  it.each(rows)("%s", (_, samples, expected) => {
    const { split, own } = rollout(samples);
    expect(says(split?.nats)).toBe(expected);
    expect(says(own?.nats)).toBe(expected);
  });

  it("is as surely told where nobody counts the requests", () => {
    expect(says(rollout(rows[0]?.[1] ?? [], false).split?.nats)).toBe("for");
    expect(says(rollout(rows[2]?.[1] ?? [], false).split?.nats)).toBe("against");
  });

  it("is told in shares of the same moments: the growth of an outage is no difference of versions", () => {
    const level = [0.02, 0.08, 0.15, 0.22, 0.3, 0.38];
    const [, fresh, old] =
      /failed (\S+) % .* before it (\S+) %$/.exec(rollout(staged(level, level)).split?.sentence ?? "") ?? [];
    expect(fresh).toBe(old);
  });

  it("needs a sample after which the old version was still measured", () => {
    const pair = (at: number): CountedPair => ({ at, fresh: { k: 50, n: 100 }, old: { k: 10, n: 100 } });
    expect(beyondOld([pair(T0)], STEP)).toBeNull();
    expect(beyondOld([pair(T0), pair(T0 + 2 * STEP)], STEP)).toBeNull();
    expect(beyondOld([pair(T0), pair(T0 + STEP)], STEP)?.samples).toBe(1);
  });

  it("never speaks for a change whose version fails no more than the old one did about then", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const sample = fc.record({
      share,
      old: share,
      n: fc.integer({ min: 1, max: 2000 }),
      m: fc.integer({ min: 1, max: 2000 }),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 12 }), (samples) => {
        const pairs = samples.map(({ share: part, old, n, m }, i) => {
          const about = Math.max(old, samples[i - 1]?.old ?? 0, samples[i + 1]?.old ?? 0);
          return { at: T0 + i * STEP, fresh: { k: part * about * n, n }, old: { k: old * m, n: m } };
        });
        expect(beyondOld(pairs, STEP)?.nats ?? 0).toBeLessThanOrEqual(0);
      }),
    );
  });
});
