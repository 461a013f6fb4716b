import { describe, expect, it } from "vitest";
import { type Begun, hasDetected, takeEvidence } from "../../../core/detection/e-detector.ts";
import { bounded, burstEvidence, worseRates } from "../../../core/detection/evidence.ts";
import { clopperPearson } from "../../../evals/bench/intervals.ts";
import { createRandom } from "../../../evals/bench/random.ts";

const ALPHA = 5e-4;
const LOOKS = 120;
const TRIALS = 2500;
const USUAL = 0.02;
const REQUESTS = 150;

/** One alternative near the usual rate: nothing of what may be spent is lost by overshooting, so the test is sharp. */
const NEAR = [1.4 * USUAL];

/** Watches null errors whose variance is `spread` times that of independent ones; looks after every sample. */
function alarmsWhen(spends: number, spread: number, taken: number, rates: readonly number[]): number {
  const random = createRandom(7);
  let alarms = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    let begun: Begun = [];
    for (let look = 0; look < LOOKS; look++) {
      const mean = REQUESTS * USUAL;
      const errors = spread === 1 ? random.binomial(REQUESTS, USUAL) : random.negativeBinomial(mean, spread);
      const nats = rates.map((rate) => bounded(burstEvidence(errors, REQUESTS, rate, USUAL, taken)));
      begun = takeEvidence(begun, nats);
      if (!hasDetected(begun, spends)) continue;
      alarms += 1;
      break;
    }
  }
  return alarms;
}

/** The claim: looking as often as one likes, at most LOOKS·α of the watches ever raise an alarm (95 % sure of it). */
const keepsItsRate = (alarms: number) => clopperPearson(alarms, TRIALS).upperLimit <= LOOKS * ALPHA;

describe("errors in which nothing changes, looked at after every sample", () => {
  it.each([
    ["independent ones", 1, 1],
    ["independent ones that were taken to come in bursts", 1, 2],
    ["ones that come in bursts", 2, 2],
  ] as const)("raise no more alarms than the detector may: %s", (_name, spread, taken) => {
    expect(keepsItsRate(alarmsWhen(ALPHA, spread, taken, NEAR))).toBe(true);
    expect(keepsItsRate(alarmsWhen(ALPHA, spread, taken, worseRates(USUAL)))).toBe(true);
  });

  it("raise more than that once the detector spends twice what it says", () => {
    expect(keepsItsRate(alarmsWhen(2 * ALPHA, 1, 1, NEAR))).toBe(false);
  });

  it("raise more than that when they come in bursts that it was not told of", () => {
    expect(keepsItsRate(alarmsWhen(ALPHA, 4, 1, NEAR))).toBe(false);
  });
});
