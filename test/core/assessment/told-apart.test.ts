import { describe, expect, it } from "vitest";
import { GROWN } from "../../../core/assessment/grown.ts";
import { toldApart } from "../../../core/assessment/told-apart.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, MINUTE, T0 } from "../correlation/fixtures.ts";
import { cartFails, STEP_MS } from "./cart-failing.ts";

/** Cart failed for so many samples when it was deployed: fewer than have a level. */
const FAILED = 3;
const DEPLOYED = T0 + FAILED * STEP_MS;
const deployed = change({ startedAt: DEPLOYED });
const finding = cartFails({ current: 0.3, samples: 10 });

interface World {
  /** Shares that the versions failed in each sample since the deploy. */
  readonly fresh: readonly number[];
  readonly old: readonly number[];
  readonly changes?: readonly Change[];
  readonly found?: Partial<Finding>;
}

function dated({ fresh, old, changes = [deployed], found = {} }: World): Finding | null {
  const row = (metric: string, version: string, values: readonly number[]): Series => {
    const first = { service: "cart", metric, unit: "", worse: "up", labels: { version } } as const;
    return { ...first, startAt: DEPLOYED + STEP_MS, stepMs: STEP_MS, values };
  };
  const share = (i: number) => (i + 1) / (fresh.length + 1);
  const rates = (of: (share: number) => number) => fresh.map((_, i) => 40 * of(share(i)));
  const all = [
    row("error_rate", "v1.1.0", fresh),
    row("error_rate", "v1.0.0", old),
    row(
      "request_rate",
      "v1.1.0",
      rates((part) => part),
    ),
    row(
      "request_rate",
      "v1.0.0",
      rates((part) => 1 - part),
    ),
  ];
  return toldApart({ ...finding, ...found }, indexSeries(all, "version"), changes, T0 + 30 * MINUTE);
}
const all = (share: number, count = 6): readonly number[] => Array.from({ length: count }, () => share);

describe("a service that failed before it was changed", () => {
  const bad = { fresh: all(0.45), old: all(0.1) };
  const rows: readonly (readonly [string, World, boolean])[] = [
    ["is dated by its change where the new version fails far more than the old one", bad, true],
    ["is not where both fail alike", { fresh: all(0.3), old: all(0.3) }, false],
    ["nor where the new one fails half as much again", { fresh: all(0.15), old: all(0.1) }, false],
    ["nor where the old one alone fails", { fresh: all(0.002), old: all(0.3) }, false],
    ["nor where both swell alike", { fresh: [0.02, 0.1, 0.2, 0.3, 0.4], old: [0.02, 0.1, 0.2, 0.3, 0.4] }, false],
    ["nor by a single sample", { fresh: all(0.45, 2), old: all(0.1, 2) }, false],
    ["nor where the difference would page nobody", { fresh: all(0.004), old: all(0) }, false],
    ["nor where nobody changed it", { ...bad, changes: [] }, false],
    [
      "nor where the change was there before it failed",
      { ...bad, changes: [change({ startedAt: T0 - MINUTE })] },
      false,
    ],
    [
      "nor by a version that somebody replaced since",
      { ...bad, changes: [deployed, change({ from: "v1.1.0", to: "v1.0.0", startedAt: DEPLOYED + 5 * MINUTE })] },
      false,
    ],
    ["nor by our own rollback", { ...bad, changes: [{ ...deployed, ownRollback: true }] }, false],
    ["nor where it is over", { ...bad, found: { verdict: "inconclusive" } }, false],
  ];
  it.each(rows)("%s", (_, world, expected) => {
    expect(dated(world) !== null).toBe(expected);
  });

  it("began with the change then, and says what tells the versions apart", () => {
    const found = dated(bad);
    expect(found).toMatchObject({ detector: GROWN, onset: { earliest: DEPLOYED, latest: DEPLOYED + STEP_MS } });
    expect(found?.because).toBe(
      "cart failed before, and v1.1.0 then failed 45.0 % of its requests beside 10.0 % of the version before it",
    );
  });
});
