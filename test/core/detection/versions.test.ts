import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDetectionEngine } from "../../../core/detection/engine.ts";
import { besideEvidence } from "../../../core/detection/evidence.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Series } from "../../../core/model/signal.ts";
import { createRandom, type Random } from "../../../evals/bench/random.ts";
import { testConfig } from "../assessment/config.ts";
import { seriesOf, T0 } from "./series.ts";

const STEP = 15_000;
const BEFORE = 120;
const config = testConfig();

/** Log of the moment generating function of a count of this mean whose variance is `spread` times as large. */
function logMgf(mean: number, spread: number, tilt: number): number {
  if (spread < 1 + 1e-6) return mean * Math.expm1(tilt);
  const inside = 1 - (spread - 1) * Math.expm1(tilt);
  return inside > 0 ? (-mean / (spread - 1)) * Math.log(inside) : Number.POSITIVE_INFINITY;
}

describe("evidence from two versions side by side", () => {
  /** E e^evidence, exactly: it is linear in both counts, so that two values of each give its slopes. */
  function logExpectation(
    [n, m]: readonly [number, number],
    [rate, other]: readonly [number, number],
    [spread, otherSpread]: readonly [number, number],
    taken: Parameters<typeof besideEvidence>[2],
  ): number {
    const at = (k: number, j: number) => besideEvidence({ k, n }, { k: j, n: m }, taken);
    expect(at(0, 0)).toBeCloseTo(0, 12);
    expect(at(2, 3)).toBeCloseTo(2 * at(1, 0) + 3 * at(0, 1), 9);
    return logMgf(n * rate, spread, at(1, 0)) + logMgf(m * other, otherSpread, at(0, 1));
  }
  const between = (min: number, max: number) => fc.double({ min, max, noNaN: true });
  const requests = fc.tuple(between(1, 500), between(1, 500));

  it("is an e-value whatever fails, however often, in bursts up to the size that was taken, of each version's own", () => {
    fc.assert(
      fc.property(
        requests,
        between(1e-4, 0.5),
        between(0, 1),
        between(1, 6),
        fc.tuple(between(0, 1), between(0, 1)),
        between(1, 8),
        between(1.05, 30),
        (n, common, part, dispersion, parts, tolerated, ratio) => {
          const spreads = parts.map((one) => 1 + one * (dispersion - 1)) as unknown as readonly [number, number];
          const log = logExpectation(n, [common * tolerated * part, common], spreads, { ratio, tolerated, dispersion });
          expect(log).toBeLessThanOrEqual(1e-7);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("spends exactly what it may at the edge of what is tolerated", () => {
    for (const dispersion of [1, 2.5])
      expect(
        logExpectation([75, 1425], [0.02, 0.01], [dispersion, dispersion], { ratio: 3, tolerated: 2, dispersion }),
      ).toBeCloseTo(0, 9);
  });

  it("would notice a version that is worse, and bursts that it was not told of", () => {
    const taken = { ratio: 3, tolerated: 1, dispersion: 1.5 };
    expect(logExpectation([75, 1425], [0.03, 0.01], [1, 1], taken)).toBeGreaterThan(0.1);
    expect(logExpectation([75, 1425], [0.01, 0.01], [4, 4], taken)).toBeGreaterThan(0.01);
  });
});

interface Arms {
  /** Requests a second of the service, and the share of them that the new version gets. */
  readonly rate: number;
  readonly share: number;
  /** Shares that fail: of the old version and of the new one, `i` samples after it began to serve. */
  readonly old: (i: number) => number;
  readonly fresh: (i: number) => number;
}

/** A service of one version, and then of two; errors in bursts of two each version's own. */
function twoVersions(arms: Arms, steps: number, seed = 1, from = BEFORE): readonly Series[] {
  const random: Random = createRandom(seed);
  const errors = (n: number, p: number) => (n === 0 ? 0 : Math.min(n, random.negativeBinomial(n * p, 2)));
  const rows = Array.from({ length: from + steps }, (_, i) => {
    const requests = random.poisson(arms.rate * 15);
    const fresh = i < from ? 0 : random.binomial(requests, arms.share);
    const old = requests - fresh;
    return {
      fresh: { n: fresh, k: errors(fresh, arms.fresh(i - from)) },
      old: { n: old, k: errors(old, arms.old(i - from)) },
    };
  });
  const line = (
    of: (row: (typeof rows)[number]) => { n: number; k: number },
    labels: Series["labels"],
    first: number,
  ) => {
    const counted = rows.slice(first).map(of);
    const rest = { labels, startAt: T0 + (first + 1) * STEP };
    return [
      seriesOf(
        "request_rate",
        counted.map(({ n }) => n / 15),
        rest,
      ),
      seriesOf(
        "error_rate",
        counted.map(({ k, n }) => (n === 0 ? null : k / n)),
        rest,
      ),
    ];
  };
  return [
    ...line(({ fresh, old }) => ({ n: fresh.n + old.n, k: fresh.k + old.k }), {}, 0),
    ...line(({ fresh }) => fresh, { version: "v2" }, from),
    ...line(({ old }) => old, { version: "v1" }, from),
  ];
}

const deploy: Change = {
  id: "deploy",
  kind: "deploy",
  service: "cart",
  from: "v1",
  to: "v2",
  startedAt: T0 + BEFORE * STEP,
  finishedAt: null,
  source: "test",
  reversible: true,
};

/** Reads them step by step, as a watch does; the findings about the service after each step. */
function watched(
  series: readonly Series[],
  changes: readonly Change[] = [deploy],
  engine = createDetectionEngine(config),
) {
  engine.changes(changes);
  const steps = series[0]?.values.length ?? 0;
  return Array.from({ length: steps }, (_, i) => {
    const now = T0 + (i + 1) * STEP;
    engine.ingest(
      series.flatMap((one) => {
        const at = Math.round((now - one.startAt) / STEP);
        return at < 0 || at >= one.values.length ? [] : [{ ...one, startAt: now, values: [one.values[at] ?? null] }];
      }),
      "statistics",
    );
    return engine.evaluate(now).findings.filter(({ labels }) => Object.keys(labels).length === 0);
  });
}
const alarms = (findings: ReturnType<typeof watched>) =>
  findings.flatMap((all, i) =>
    all.filter(({ verdict }) => verdict === "worse").map((one) => ({ ...one, i: i - BEFORE })),
  );

const healthy = () => 0.002;
const hidden: Arms = { rate: 200, share: 0.02, old: healthy, fresh: () => 0.06 };

describe("a new version beside the old one", () => {
  it("that is bad is found although the service as a whole hides it, with the version named and the onset at its start", () => {
    const [first] = alarms(watched(twoVersions(hidden, 60)));
    expect(first).toMatchObject({ detector: "version", metric: "error_rate", labels: {} });
    expect(first?.i).toBeLessThan(30);
    expect(first?.because).toMatch(/in v2 beside/);
    expect(first?.onset?.earliest).toBeLessThanOrEqual(deploy.startedAt);
    expect(first?.onset?.latest).toBeGreaterThanOrEqual(deploy.startedAt);
    const whole = twoVersions(hidden, 60).filter(({ labels }) => labels.version === undefined);
    expect(alarms(watched(whole))).toEqual([]);
  });

  it("that turns bad later is found from then on", () => {
    const later = { ...hidden, fresh: (i: number) => (i < 80 ? 0.002 : 0.1) };
    const [first] = alarms(watched(twoVersions(later, 140)));
    expect(first?.i).toBeGreaterThanOrEqual(80);
    expect(first?.onset?.latest).toBeGreaterThanOrEqual(deploy.startedAt + 80 * STEP);
    expect(first?.onset?.earliest).toBeGreaterThan(deploy.startedAt + 40 * STEP);
  });

  it.each([1, 2, 3, 4])("that is as good raises no alarm, whatever its share (seed %i)", (seed) => {
    for (const share of [0.02, 0.2, 0.5])
      expect(alarms(watched(twoVersions({ ...hidden, share, fresh: healthy }, 100, seed)))).toEqual([]);
  });

  it("is not blamed for what hits both: an outage of everything is no finding about versions", () => {
    const outage = (i: number) => (i > 20 && i < 60 ? 0.3 : 0.002);
    const found = alarms(watched(twoVersions({ ...hidden, old: outage, fresh: outage }, 80)));
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter(({ detector }) => detector === "version")).toEqual([]);
  });

  it("is not blamed for being better than a bad old one", () => {
    expect(alarms(watched(twoVersions({ ...hidden, old: () => 0.06, fresh: healthy }, 60)))).toEqual([]);
  });

  it("is not blamed while it differs by what pods differ by", () => {
    const slightly = { rate: 1000, share: 0.3, old: () => 0.02, fresh: () => 0.023 };
    expect(alarms(watched(twoVersions(slightly, 240)))).toEqual([]);
  });

  it("that gets better again ends the finding", () => {
    const passing = { ...hidden, fresh: (i: number) => (i < 40 ? 0.06 : 0.002) };
    const seen = watched(twoVersions(passing, 120));
    expect(alarms(seen).length).toBeGreaterThan(0);
    expect(seen.at(-1)).toEqual([]);
  });

  it("that goes is spoken of no longer than silence lasts: nothing is then known of it", () => {
    const series = twoVersions(hidden, 60).map((one) =>
      one.labels.version === "v2" ? { ...one, values: one.values.map((value, i) => (i < 40 ? value : null)) } : one,
    );
    const seen = watched(series);
    expect(seen[BEFORE + 39]?.map(({ detector }) => detector)).toEqual(["version"]);
    expect(seen.at(-1)?.filter(({ detector }) => detector === "version")).toEqual([]);
  });

  it("is the one whose samples began last where no change is known", () => {
    expect(alarms(watched(twoVersions(hidden, 60), [])).length).toBe(0); // both began at once: nobody knows which is new
    const old = twoVersions(hidden, 60, 1).map((one) =>
      one.labels.version === "v1"
        ? { ...one, startAt: one.startAt - 5 * STEP, values: [0, 0, 0, 0, 0, ...one.values] }
        : one,
    );
    expect(alarms(watched(old, []))[0]?.detector).toBe("version");
  });

  it("is not on trial where our own rollback brought it back", () => {
    expect(alarms(watched(twoVersions(hidden, 60), [{ ...deploy, ownRollback: true }]))).toEqual([]);
  });

  it("is judged alike whether its samples come one by one, all at once, or with a stored state between", () => {
    const series = twoVersions(hidden, 60);
    const last = watched(series).at(-1);
    const atOnce = createDetectionEngine(config);
    atOnce.changes([deploy]);
    atOnce.ingest(series, "statistics");
    const now = T0 + (BEFORE + 60) * STEP;
    expect(atOnce.evaluate(now).findings.filter(({ detector }) => detector === "version")).toEqual(last);
    const cut = BEFORE + 12;
    const head = series.map((one) => ({
      ...one,
      values: one.values.slice(0, Math.max(0, cut - (one.values.length === 60 ? BEFORE : 0))),
    }));
    const first = createDetectionEngine(config);
    watched(head, [deploy], first);
    const second = createDetectionEngine(config);
    second.restore(JSON.parse(JSON.stringify(first.state())));
    expect(watched(series, [deploy], second).at(-1)).toEqual(last);
  });
});
