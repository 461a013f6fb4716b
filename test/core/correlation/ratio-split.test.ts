import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ratioSplit } from "../../../core/correlation/ratio-split.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { versionSplit } from "../../../core/correlation/version-split.ts";
import { change, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 60_000;
const errors = (values: readonly (number | null)[], startAt: number, version?: string) => ({
  service: "cart",
  metric: "error_rate",
  unit: "ratio",
  worse: "up" as const,
  labels: version === undefined ? {} : { version },
  startAt,
  stepMs: STEP,
  values: [...values],
});
const calm = errors(
  Array.from({ length: 14 }, () => 0),
  T0 - 13 * STEP,
);
const beside = (fresh: readonly (number | null)[], old: readonly (number | null)[]) =>
  indexSeries([calm, errors(fresh, T0 + STEP, "v1.1.0"), errors(old, T0 + STEP, "v1.0.0")], "version");
const span = { from: T0, to: T0 + 20 * MINUTE, beforeMs: 30 * MINUTE };

describe("two versions side by side whose requests nobody counts", () => {
  const rows: readonly (readonly [string, readonly number[], readonly number[], "for" | "against"])[] = [
    ["the new one alone fails", [0.6, 0.7, 0.65, 0.6], [0, 0, 0, 0], "for"],
    ["the new one fails, and the old one a little with it", [0.67, 0.64, 0.59, 0.7], [0.13, 0.12, 0.13, 0.1], "for"],
    ["both fail alike", [0.5, 0.4, 0.6, 0.5], [0.6, 0.5, 0.45, 0.5], "against"],
    ["the old one alone fails", [0, 0, 0, 0], [0.5, 0.4, 0.6, 0.5], "against"],
  ];
  it.each(rows.map(([name, fresh, old, speaks]) => ({ name, fresh, old, speaks })))(
    "where $name, it speaks $speaks the change",
    ({ fresh, old, speaks }) => {
      const split = ratioSplit(beside(fresh, old), "cart", "v1.1.0", span);
      const nats = split?.nats ?? Number.NaN;
      if (speaks === "for") expect(nats).toBeGreaterThan(2);
      else expect(nats).toBeLessThan(-2);
      const told = versionSplit(beside(fresh, old), change(), onsetAt(T0), T0 + 20 * MINUTE, new Set(["error_rate"]));
      expect(Math.sign(told?.nats ?? 0)).toBe(Math.sign(nats));
      expect(Math.abs(told?.nats ?? 0)).toBeLessThanOrEqual(6);
    },
  );

  it("says nothing where they hardly served together", () => {
    expect(ratioSplit(beside([0.5], [0.1]), "cart", "v1.1.0", span)).toBeNull();
    expect(ratioSplit(beside([null, 0.5, null], [0.1, null, 0.1]), "cart", "v1.1.0", span)).toBeNull();
  });

  it("is left to the counts where requests are counted, though too few", () => {
    const rate = { ...errors([0.01, 0.01, 0.01], T0 + STEP, "v1.1.0"), metric: "request_rate" };
    const index = indexSeries(
      [calm, rate, errors([1, 1, 1], T0 + STEP, "v1.1.0"), errors([0, 0, 0], T0 + STEP, "v1.0.0")],
      "version",
    );
    const worse = new Set(["error_rate"]);
    expect(versionSplit(index, change(), onsetAt(T0), T0 + 20 * MINUTE, worse)).toBeNull();
  });

  it("never speaks for a version that fails no more than the one beside it", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(share, share), { minLength: 2, maxLength: 15 }), (pairs) => {
        const fresh = pairs.map(([a, b]) => Math.min(a, b));
        const old = pairs.map(([a, b]) => Math.max(a, b));
        const nats = ratioSplit(beside(fresh, old), "cart", "v1.1.0", span)?.nats ?? 0;
        expect(nats).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});
