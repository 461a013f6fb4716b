import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ALARM_NATS,
  bounded,
  burstEvidence,
  countEvidence,
  errorsEvidence,
  levelEvidence,
  SAMPLE_NATS,
  worseRates,
} from "../../../core/detection/evidence.ts";

/** Expectation of exp(evidence) over all counts of a binomial: exact, no simulation. */
function expectedErrors(n: number, p: number, rate: number, normal: number, dispersion: number): number {
  let sum = 0;
  let logChoose = 0;
  for (let k = 0; k <= n; k++) {
    if (k > 0) logChoose += Math.log((n - k + 1) / k);
    const log = logChoose + k * Math.log(p) + (n - k) * Math.log(1 - p);
    sum += Math.exp(log + errorsEvidence(k, n, rate, normal, dispersion));
  }
  return sum;
}

function expectedCount(mean: number, evidence: (k: number) => number): number {
  let sum = 0;
  let log = -mean;
  for (let k = 0; k < 400; k++) {
    if (k > 0) log += Math.log(mean / k);
    sum += Math.exp(log + evidence(k));
  }
  return sum;
}

/** The same over all counts of a negative binomial of this mean whose variance is `spread` times as large. */
function expectedBursts(mean: number, spread: number, evidence: (k: number) => number): number {
  const shape = mean / (spread - 1);
  let log = -shape * Math.log(spread);
  let sum = 0;
  for (let k = 0; k < 20_000; k++) {
    if (k > 0) log += Math.log(((shape + k - 1) / k) * (1 - 1 / spread));
    sum += Math.exp(log + evidence(k));
  }
  return sum;
}

const share = fc.double({ min: 0.001, max: 0.4, noNaN: true });

describe("evidence is an e-value: its expectation is at most 1 while nothing is worse", () => {
  it("for errors among requests, whatever the traffic, the usual rate, the alternative and the dispersion", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        share,
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.double({ min: 1, max: 5, noNaN: true }),
        (n, normal, part, dispersion) => {
          for (const rate of worseRates(normal))
            expect(expectedErrors(n, normal * part, rate, normal, dispersion)).toBeLessThanOrEqual(1 + 1e-9);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("and exactly 1 at the limit of what is normal: it spends what it may, not less", () => {
    expect(expectedErrors(200, 0.02, 0.1, 0.02, 1)).toBeCloseTo(1, 9);
  });

  it("and above 1 once the rate is worse: it would notice spending too much", () => {
    expect(expectedErrors(200, 0.04, 0.1, 0.02, 1)).toBeGreaterThan(2);
  });

  it("for errors that come in bursts, as long as they vary no more than they were taken to", () => {
    const spreads = fc.double({ min: 1.05, max: 6, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), share, spreads, spreads, (n, usual, one, other) => {
        const [true_, taken] = [Math.min(one, other), Math.max(one, other)];
        for (const rate of worseRates(usual).slice(0, 6)) {
          const evidence = (k: number) => burstEvidence(k, n, rate, usual, taken);
          expect(expectedBursts(n * usual, true_, evidence)).toBeLessThanOrEqual(1 + 1e-6);
          expect(expectedCount(n * usual, evidence)).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("and exactly 1 where they vary as they were taken to, above 1 where they vary more", () => {
    const evidence = (k: number) => burstEvidence(k, 100, 0.03, 0.02, 2);
    expect(expectedBursts(2, 2, evidence)).toBeCloseTo(1, 6);
    expect(expectedBursts(2, 4, evidence)).toBeGreaterThan(1.05);
  });

  it("for counts a step", () => {
    fc.assert(
      fc.property(share, fc.double({ min: 1, max: 4, noNaN: true }), (normal, dispersion) => {
        const evidence = (k: number) => countEvidence(k, 3 * normal, normal, dispersion);
        expect(expectedCount(normal, evidence)).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it("for levels with normal innovations", () => {
    const [variance, shift] = [0.04, 0.3];
    let sum = 0;
    for (let u = -3; u <= 3; u += 0.001) {
      const density = Math.exp(-(u ** 2) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
      sum += density * Math.exp(levelEvidence(u, shift, variance)) * 0.001;
    }
    expect(sum).toBeCloseTo(1, 3);
  });
});

describe("bounds", () => {
  it("no single sample can raise an alarm", () => {
    expect(bounded(1e9)).toBe(SAMPLE_NATS);
    expect(SAMPLE_NATS).toBeLessThan(ALARM_NATS);
  });

  it("the rates to bet on are worse than normal, rising, and never certain", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 0.9, noNaN: true }), (normal) => {
        const rates = worseRates(normal);
        expect(Math.max(...rates)).toBeLessThan(1);
        expect(rates[0]).toBeGreaterThan(Math.min(normal, 0.9));
        expect([...rates].sort((a, b) => a - b)).toEqual(rates);
      }),
    );
  });
});
