import { describe, expect, it } from "vitest";
import { type Begun, hasDetected, takeEvidence } from "../../../core/detection/e-detector.ts";
import { besideEvidence, bounded, burstEvidence, levelEvidence, worseRates } from "../../../core/detection/evidence.ts";
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

/** Two versions that fail alike, at a common rate that wanders by half from step to step; looked at after every sample. */
function alarmsBeside(spends: number, spread: number, taken: number, ratios: readonly number[]): number {
  const random = createRandom(11);
  const errors = (mean: number) => (spread === 1 ? random.poisson(mean) : random.negativeBinomial(mean, spread));
  let alarms = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    let begun: Begun = [];
    let log = 0;
    for (let look = 0; look < LOOKS; look++) {
      log = 0.9 * log + 0.2 * random.normal();
      const rate = USUAL * Math.exp(log);
      const fresh = { k: errors(REQUESTS * rate), n: REQUESTS };
      const old = { k: errors(2 * REQUESTS * rate), n: 2 * REQUESTS };
      const nats = ratios.map((ratio) =>
        bounded(besideEvidence(fresh, old, { ratio, tolerated: 1, dispersion: taken })),
      );
      begun = takeEvidence(begun, nats);
      if (!hasDetected(begun, spends)) continue;
      alarms += 1;
      break;
    }
  }
  return alarms;
}

describe("two versions that are alike, side by side, whatever happens to both", () => {
  it.each([
    ["independent errors", 1, 1],
    ["errors in bursts of each version's own", 2, 2],
    ["independent errors that were taken to come in bursts", 1, 2],
  ] as const)("raise no more alarms than the detector may: %s", (_name, spread, taken) => {
    expect(keepsItsRate(alarmsBeside(ALPHA, spread, taken, [1.4]))).toBe(true);
    expect(keepsItsRate(alarmsBeside(ALPHA, spread, taken, [1.5, 3, 6, 12, 24]))).toBe(true);
  });

  it("raise more than that once the detector spends twice what it says", () => {
    expect(keepsItsRate(alarmsBeside(2 * ALPHA, 1, 1, [1.4]))).toBe(false);
  });

  it("raise more than that when their errors come in bursts that it was not told of", () => {
    expect(keepsItsRate(alarmsBeside(ALPHA, 4, 1, [1.4]))).toBe(false);
  });
});

/** A level that does not move, whose innovations have `spread` times the variance that the test takes them to have. */
function alarmsOfLevel(spends: number, spread: number, shifts: readonly number[]): number {
  const random = createRandom(23);
  let alarms = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    let begun: Begun = [];
    for (let look = 0; look < LOOKS; look++) {
      const innovation = Math.sqrt(spread) * random.normal();
      begun = takeEvidence(
        begun,
        shifts.map((shift) => bounded(levelEvidence(innovation, shift, 1))),
      );
      if (!hasDetected(begun, spends)) continue;
      alarms += 1;
      break;
    }
  }
  return alarms;
}

describe("a level that does not move, looked at after every sample", () => {
  it("raises no more alarms than the detector may", () => {
    expect(keepsItsRate(alarmsOfLevel(ALPHA, 1, [0.3]))).toBe(true);
    expect(keepsItsRate(alarmsOfLevel(ALPHA, 1, [0.5, 1, 2, 4]))).toBe(true);
  });

  it("raises more than that once the detector spends twice what it says, or the level varies more than was told", () => {
    expect(keepsItsRate(alarmsOfLevel(2 * ALPHA, 1, [0.3]))).toBe(false);
    expect(keepsItsRate(alarmsOfLevel(ALPHA, 2, [0.3]))).toBe(false);
  });
});
