import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bystander } from "../../../core/guardrails/common-mode.ts";
import { judgeRecovery, type RecoveryInput } from "../../../core/guardrails/recovery.ts";
import { errors, fill, inputOf, latency, seriesOf } from "./recovery-inputs.ts";
import { MINUTE, NOW } from "./rule-inputs.ts";

/** Bystanders at 100 ms before the trouble, and since then as given; the clock of `seriesOf`. */
const bystanders = (...since: readonly (readonly (number | null)[])[]): Bystander[] =>
  since.map((values, i) => ({
    before: seriesOf("p99_latency", fill(100, 40), { service: `other-${i}` }),
    since: seriesOf("p99_latency", values, { service: `other-${i}` }),
  }));
const slowness = (values: readonly (number | null)[], ...others: readonly (readonly (number | null)[])[]) => ({
  baselines: [latency],
  series: [seriesOf("p99_latency", values), seriesOf("request_rate", fill(20))],
  bystanders: bystanders(...others),
});

/** The same with others of which nobody knows whether the act reaches them. */
function unplaced(...values: Parameters<typeof slowness>) {
  const { bystanders: neighbours, ...rest } = slowness(...values);
  return { ...rest, neighbours };
}

const rows: readonly (readonly [string, Partial<RecoveryInput>, string, string])[] = [
  [
    "twice as slow, as everything out of reach became",
    slowness(fill(400), fill(200), fill(210)),
    "recovered",
    "newest sample 200 ms, limit 260 ms, 10 samples in a row within it; over 3,000 requests; measured 400 ms, of which a factor of 2 is discounted: what the act cannot reach (other-0, other-1) became slower by as much meanwhile",
  ],
  [
    "five times as slow while others became twice as slow",
    slowness(fill(1000), fill(200), fill(200)),
    "not-recovered",
    "500 ms, outside",
  ],
  [
    "slow while nothing else is",
    slowness(fill(400), fill(100), fill(100), fill(100)),
    "not-recovered",
    "400 ms, outside",
  ],
  [
    "slow while only some others are",
    slowness(fill(400), fill(300), fill(300), fill(101)),
    "not-recovered",
    "396 ms, outside",
  ],
  [
    "S9: slow beside one single other that is slow, too",
    slowness(fill(400), fill(300)),
    "unknown",
    "newest sample 400 ms, outside its baseline (limit 260 ms); other-0 became slower by as much meanwhile, and nobody can tell whether one cause slows them all",
  ],
  ["slower than one single other became", slowness(fill(900), fill(300)), "not-recovered", "900 ms, outside"],
  [
    "S9: slow as all that may be in reach became",
    unplaced(fill(400), fill(200), fill(300)),
    "unknown",
    "other-0, other-1 became slower by as much meanwhile",
  ],
  [
    "slow while one of those that may be in reach is not",
    unplaced(fill(400), fill(200), fill(300), fill(100)),
    "not-recovered",
    "400 ms, outside",
  ],
  [
    "well again, whatever those that may be in reach do",
    unplaced(fill(200), fill(900), fill(900)),
    "recovered",
    "200 ms",
  ],
  ["others that became faster ask for no more", slowness(fill(250), fill(50), fill(50)), "recovered", "250 ms"],
  [
    "slow after everything else has come back",
    slowness(fill(400), [...fill(200, 5), ...fill(100, 5)], [...fill(200, 5), ...fill(100, 5)]),
    "not-recovered",
    "400 ms, outside",
  ],
  [
    "S9: others of which nothing is heard discount nothing",
    slowness(fill(400), fill(null), fill(null)),
    "not-recovered",
    "400 ms",
  ],
  [
    "errors are no slowness: others' latency excuses none",
    {
      ...slowness(fill(200), fill(200), fill(200)),
      baselines: [errors],
      series: [seriesOf("error_rate", fill(0.3)), seriesOf("request_rate", fill(20))],
    },
    "not-recovered",
    "outside",
  ],
];

describe("a verification while everything may have slowed down", () => {
  it.each(rows)("%s", (_, change, verdict, says) => {
    const recovery = judgeRecovery(inputOf({ ...change, timeoutMs: 1000 }));
    expect(recovery).toMatchObject({ verdict, at: NOW });
    expect(recovery.checks.map(({ because }) => because).join("\n")).toContain(says);
  });
});

describe("what slows everything", () => {
  const ms = fc.double({ min: 20, max: 2000, noNaN: true });
  const factor = fc.double({ min: 1, max: 50, noNaN: true });
  const values = fc.array(ms, { minLength: 12, maxLength: 12 });
  const verdictOf = (input: Partial<RecoveryInput>) => judgeRecovery(inputOf({ ...input, timeoutMs: MINUTE })).verdict;
  const times = (k: number) => (samples: readonly number[]) => samples.map((value) => value * k);
  const steady = fc.array(fc.constant(fill(100, 12) as number[]), { minLength: 2, maxLength: 7 });

  it("leaves the verdict as it was, whatever its factor", () => {
    fc.assert(
      fc.property(values, steady, factor, (own, others, k) => {
        const before = slowness(own, ...others);
        const after = slowness(times(k)(own), ...others.map(times(k)));
        // A value within rounding of the limit may fall on either side of it.
        fc.pre(own.every((value) => Math.abs(value - latency.upper) > 1e-6));
        expect(verdictOf(after)).toBe(verdictOf(before));
      }),
    );
  });

  it("excuses nothing that is the service's own: slow alone, it never becomes recovered by others' being there", () => {
    fc.assert(
      fc.property(values, steady, (own, others) => {
        expect(verdictOf(slowness(own, ...others))).toBe(verdictOf(slowness(own)));
      }),
    );
  });

  it("excuses no more than it did: slower than others became by more than its baseline allows is not recovered", () => {
    fc.assert(
      fc.property(factor, fc.double({ min: 1.01, max: 20, noNaN: true }), steady, (k, own, others) => {
        const input = slowness(fill(latency.upper * k * own, 12), ...others.map(times(k)));
        expect(verdictOf(input)).toBe("not-recovered");
      }),
    );
  });

  it("makes a recovery of nothing where nobody knows whether the act reaches those that it slows", () => {
    const many = fc.array(values, { maxLength: 5 });
    fc.assert(
      fc.property(values, many, (own, others) => {
        const alone = verdictOf(slowness(own));
        const beside = verdictOf(unplaced(own, ...others));
        expect([alone, alone === "not-recovered" ? "unknown" : alone]).toContain(beside);
      }),
    );
  });

  it("one that did not slow down outweighs up to three that did", () => {
    fc.assert(
      fc.property(factor, fc.integer({ min: 1, max: 3 }), (k, many) => {
        const others = [fill(100, 12), ...Array.from({ length: many }, () => fill(100 * k, 12))];
        const own = fill(latency.upper * 1.01, 12);
        expect(verdictOf(slowness(own, ...others))).toBe("not-recovered");
      }),
    );
  });
});

it("says of which service each rollout is, whatever was wrong where", () => {
  const acts = [
    { service: "gateway", complete: true },
    { service: "stock", complete: false },
  ];
  const rollouts = judgeRecovery(inputOf({ acts })).checks.filter(({ metric }) => metric === "rollout");
  expect(rollouts.map(({ service, verdict }) => [service, verdict])).toEqual([
    ["gateway", "recovered"],
    ["stock", "pending"],
  ]);
});
