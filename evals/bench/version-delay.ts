import type { Config } from "../../core/config/config.ts";
import { createDetectionEngine } from "../../core/detection/engine.ts";
import { ALPHA } from "../../core/detection/evidence.ts";
import { toleratedRatio } from "../../core/detection/version-watch.ts";
import type { Change } from "../../core/model/change.ts";
import { type Series, WELL_KNOWN_METRICS } from "../../core/model/signal.ts";
import { medianOf } from "./intervals.ts";
import { createRandom, type Random } from "./random.ts";

const STEP_MS = 15_000;
const START = Date.parse("2026-03-02T00:00:00Z");
/** An hour of one version, then two of both. */
const BEFORE = 240;
const BOTH = 480;
const RATES = [30, 300] as const;
const SHARES = [0.02, 0.1] as const;
/** What the old version fails, and the new one. */
const FAILS = [
  [0.002, 0.02],
  [0.002, 0.06],
  [0.02, 0.1],
  [0.02, 0.3],
] as const;
/** Errors come in twos, as by one retry, and the common rate wanders by a fifth. */
const BURSTS = 2;
const WANDER = 0.2;
const CARRIED = 0.9;

export interface VersionCell {
  /** Requests a second of the service, and the share of them that the new version gets. */
  readonly rate: number;
  readonly share: number;
  /** What the old version and the new one fail. */
  readonly old: number;
  readonly fresh: number;
  /** Least steps for a test that knows all but the common rate, errors independent: log(1/α)/KL, rounded up. */
  readonly bound: number;
  /** Median delays in steps: by versions side by side, and in the service as a whole. */
  readonly versions: number;
  readonly whole: number;
}

type Arms = Pick<VersionCell, "rate" | "share" | "old" | "fresh">;

const ALL: readonly Arms[] = RATES.flatMap((rate) =>
  SHARES.flatMap((share) => FAILS.map(([old, fresh]) => ({ rate, share, old, fresh }))),
);

/** How long a bad new version with a small share of the traffic goes unnoticed, with series by version and without. */
export function measureVersionDelays(
  config: Config,
  trials: number,
  seed: number,
  cells: readonly Arms[] = ALL,
): readonly VersionCell[] {
  return cells.map((cell, index) => {
    const delays = Array.from({ length: trials }, (_, trial) => {
      const random = createRandom((seed * 0x9e3779b1 + trial * 0x85ebca6b + index * 0x27d4eb2f) >>> 0);
      return delaysOf(config, cell, random);
    });
    const median = (who: "versions" | "whole") => medianOf(delays.map((one) => one[who]));
    return { ...cell, bound: boundOf(cell), versions: median("versions"), whole: median("whole") };
  });
}

/** Of all common rates under "no worse", the one that is hardest to tell from the truth decides (Poisson counts). */
function boundOf({ rate, share, old, fresh }: Arms): number {
  const [n, m] = [(rate * share * STEP_MS) / 1000, (rate * (1 - share) * STEP_MS) / 1000];
  const tolerated = toleratedRatio(old);
  const common = (n * fresh + m * old) / (tolerated * n + m);
  const apart = (a: number, b: number) => a * Math.log(a / b) - a + b;
  return Math.ceil(Math.log(1 / ALPHA) / (n * apart(fresh, tolerated * common) + m * apart(old, common)));
}

function delaysOf(config: Config, arms: Arms, random: Random): { readonly versions: number; readonly whole: number } {
  const engine = createDetectionEngine(config);
  const [deploy, requests] = [deployAt(START + BEFORE * STEP_MS), (arms.rate * STEP_MS) / 1000];
  let log = 0;
  let [versions, whole] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const errors = (n: number, p: number) => (n === 0 ? 0 : Math.min(n, random.negativeBinomial(n * p, BURSTS)));
  for (let i = 0; i < BEFORE + BOTH && whole === Infinity; i++) {
    const now = START + (i + 1) * STEP_MS;
    log = CARRIED * log + WANDER * Math.sqrt(1 - CARRIED ** 2) * random.normal();
    const n = random.poisson(requests);
    const part = i < BEFORE ? 0 : random.binomial(n, arms.share);
    const k = errors(part, Math.min(0.9, arms.fresh * Math.exp(log)));
    const other = errors(n - part, arms.old * Math.exp(log));
    const by = i < BEFORE ? [] : [...sample(now, k, part, "v2"), ...sample(now, other, n - part, "v1")];
    engine.ingest([...sample(now, k + other, n), ...by], "statistics");
    if (i === BEFORE) engine.changes([deploy]);
    for (const { verdict, detector, labels } of engine.evaluate(now).findings) {
      if (verdict !== "worse" || i < BEFORE || Object.keys(labels).length > 0) continue;
      if (detector === "version") versions = Math.min(versions, i - BEFORE + 1);
      else whole = Math.min(whole, i - BEFORE + 1);
    }
  }
  return { versions: Math.min(versions, whole), whole };
}

function sample(startAt: number, k: number, n: number, version?: string): readonly Series[] {
  const base = { service: "shop", labels: version === undefined ? {} : { version }, startAt, stepMs: STEP_MS };
  return [
    { ...base, metric: "request_rate", ...WELL_KNOWN_METRICS.request_rate, values: [(n * 1000) / STEP_MS] },
    { ...base, metric: "error_rate", ...WELL_KNOWN_METRICS.error_rate, values: [n === 0 ? null : k / n] },
  ];
}

const deployAt = (startedAt: number): Change => ({
  id: "bad",
  kind: "deploy",
  service: "shop",
  from: "v1",
  to: "v2",
  startedAt,
  finishedAt: null,
  source: "bench",
  reversible: true,
});

export function versionLines(cells: readonly VersionCell[]): readonly string[] {
  const figure = (value: number) => (Number.isFinite(value) ? String(value) : `> ${BOTH}`);
  const ratio = medianOf(cells.map(({ versions, bound }) => versions / bound));
  return [
    `a new version that fails beside the old one, errors in twos, a common rate that wanders by ${WANDER}; median delays in samples:`,
    "requests/s  share  old     new     bound  by version  as a whole",
    ...cells.map(
      ({ rate, share, old, fresh, bound, versions, whole }) =>
        `${String(rate).padEnd(12)}${String(share).padEnd(7)}${String(old).padEnd(8)}${String(fresh).padEnd(8)}${String(bound).padStart(5)}  ${figure(versions).padStart(10)}  ${figure(whole).padStart(10)}`,
    ),
    `median over the ${cells.length} cells of delay by version ÷ bound: ${ratio.toFixed(2)}`,
  ];
}
