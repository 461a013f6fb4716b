import { describe, expect, it } from "vitest";
import { createDetectionEngine, type DetectionEngine, type DetectionState } from "../../../core/detection/engine.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Series, WellKnownMetric } from "../../../core/model/signal.ts";
import { clopperPearson } from "../../../evals/bench/intervals.ts";
import { createRandom, type Random } from "../../../evals/bench/random.ts";
import { testConfig } from "../assessment/config.ts";
import { seriesOf, T0 } from "./series.ts";

const STEP = 15_000;
const LEARNED = 160;
const MOST = 80;
const config = testConfig();

/** One sample of a signal of a service or of one of its versions, in the step that ends at `at`. */
const sample = (metric: WellKnownMetric, value: number, at: number, replaced: Partial<Series> = {}) =>
  seriesOf(metric, [value], { startAt: at, ...replaced });

interface Judged {
  readonly begun: readonly number[];
  readonly alarm: unknown;
}
/** The product's own engine, fed one step after another: the test of the signal that is worse by this much, as it stands. */
interface Watched {
  readonly feed: (i: number, worse: number) => readonly Series[];
  readonly watch: (engine: DetectionEngine) => Judged | undefined;
  /** How much worse it is, from hardly to plainly. */
  readonly by: readonly [number, number];
}

const atStep = (i: number) => T0 + (i + 1) * STEP;
const wobbling = (i: number, size: number) => 1 + (i % 2 === 0 ? size : -size);
const signal = (metric: WellKnownMetric) => (engine: DetectionEngine) => engine.signal("cart", metric)?.watch;

const deploy: Change = {
  ...{ id: "d", kind: "deploy", service: "cart", from: "v1", to: "v2", finishedAt: null, source: "test" },
  ...{ startedAt: T0 + 40 * STEP, reversible: true },
};
const version = (name: string, share: number, requests: number, at: number) => [
  sample("error_rate", share, at, { labels: { version: name } }),
  sample("request_rate", requests / 15, at, { labels: { version: name } }),
];
const versionWatch = (engine: DetectionEngine) => Object.values(engine.state().versions as VersionsState)[0]?.watch;
type VersionsState = DetectionState["versions"];

const tests: Readonly<Record<string, Watched>> = {
  "errors among requests": {
    feed: (i, worse) => [
      sample("error_rate", 0.02 * (i < LEARNED ? wobbling(i, 0.1) : worse), atStep(i)),
      sample("request_rate", 100, atStep(i)),
    ],
    watch: signal("error_rate"),
    by: [1.26, 1.5],
  },
  "a latency": {
    feed: (i, worse) => [sample("p99_latency", 100 * (i < LEARNED ? wobbling(i, 0.1) : worse), atStep(i))],
    watch: signal("p99_latency"),
    by: [1.28, 1.5],
  },
  "failed health checks": {
    feed: (i, worse) => [sample("health_check_failures", i < LEARNED ? 1.5 : worse, atStep(i))],
    watch: signal("health_check_failures"),
    by: [4, 10],
  },
  "a version beside the old one": {
    feed: (i, worse) => [
      ...version("v1", 0.02, i < 40 ? 3000 : 1500, atStep(i)),
      ...(i < 40 ? [] : version("v2", 0.02 * (i < LEARNED ? 1 : worse), 1500, atStep(i))),
      sample("error_rate", 0.02, atStep(i)),
      sample("request_rate", 200, atStep(i)),
    ],
    watch: versionWatch,
    by: [2.05, 2.6],
  },
};

/** The mean over its alternatives of a test's Shiryaev–Roberts sums: 1/α of it is what an alarm needs. */
const statisticOf = ({ begun }: Judged) => begun.reduce((sum, one) => sum + one, 0) / Math.max(1, begun.length);

/** What the statistic was just before the alarm and at it; null where there was none. */
function atAlarm({ feed, watch }: Watched, worse: number, alpha?: number): readonly [number, number] | null {
  const engine = createDetectionEngine(config, alpha === undefined ? {} : { alpha });
  engine.changes([deploy]);
  let before = 0;
  for (let i = 0; i < LEARNED + MOST; i++) {
    engine.ingest(feed(i, worse), "statistics");
    engine.evaluate(atStep(i));
    const judged = watch(engine);
    if (judged === undefined) continue;
    if (judged.alarm !== null) return [before, statisticOf(judged)];
    before = statisticOf(judged);
  }
  return null;
}

describe.each(Object.entries(tests))("the test of %s, as the engine runs it", (_name, watched) => {
  it.each([
    ["a million where nothing is said, the false alarms of a million samples", undefined, 1e6],
    ["a thousand where it may spend a thousandth a sample", 0.001, 1000],
  ])("alarms once its evidence is %s, neither at half of it nor at twice", (_words, alpha, needed) => {
    const [least, most] = watched.by;
    const runs = Array.from({ length: 16 }, (_, i) => atAlarm(watched, least + ((most - least) * i) / 15, alpha));
    const alarmed = runs.filter((one) => one !== null);
    expect(alarmed.length).toBeGreaterThan(8);
    // From many strengths some come close to the limit from either side, and none stands beyond it without an alarm.
    const befores = alarmed.map(([before]) => before);
    expect(Math.max(...befores)).toBeLessThan(needed);
    expect(Math.max(...befores)).toBeGreaterThan(needed / 2);
    const ats = alarmed.map(([, at]) => at);
    expect(Math.min(...ats)).toBeGreaterThanOrEqual(needed * (1 - 1e-9));
    expect(Math.min(...ats)).toBeLessThan(2 * needed);
  });
});

describe("traffic in which nothing changes, through the engine, looked at after every sample", () => {
  const SERVICES = 80;
  const LOOKS = 20;
  const BEFORE = 30;
  const ALPHA = 0.04;

  /** So many of the services ever alarmed within so many looks, by the metric or by the comparison of their versions. */
  function alarms(errors: (random: Random, requests: number) => number, alpha: number) {
    const random = createRandom(31);
    const engine = createDetectionEngine(config, { alpha });
    const alarmed: Record<"error_rate" | "p99_latency" | "version", Set<string>> = {
      ...{ error_rate: new Set(), p99_latency: new Set(), version: new Set() },
    };
    for (let i = 0; i < BEFORE + LOOKS; i++) {
      const at = atStep(i);
      for (let n = 0; n < SERVICES; n++) {
        const service = `s${n}`;
        const arms = (
          i < BEFORE
            ? [["v1", 200]]
            : ([
                ["v1", 100],
                ["v2", 100],
              ] as const)
        ).map(([name, requests]) => ({
          name: String(name),
          requests: Number(requests),
          failed: errors(random, Number(requests)),
        }));
        const failed = arms.reduce((sum, one) => sum + one.failed, 0);
        engine.ingest(
          [
            ...arms.flatMap((one) =>
              version(one.name, one.failed / one.requests, one.requests, at).map((series) => ({ ...series, service })),
            ),
            sample("error_rate", failed / 200, at, { service }),
            sample("request_rate", 200 / 15, at, { service }),
            sample("p99_latency", 100 * Math.exp(0.1 * random.normal()), at, { service }),
          ],
          "statistics",
        );
      }
      for (const { detector, metric, verdict, service } of engine.evaluate(at).findings)
        if (verdict === "worse") alarmed[detector === "version" ? "version" : (metric as "error_rate")].add(service);
    }
    return Object.fromEntries(Object.entries(alarmed).map(([name, { size }]) => [name, size]));
  }
  const independent = (random: Random, requests: number) => random.binomial(requests, 0.02);

  it("raises no more alarms than it may spend, by any test, and more where it may spend more", () => {
    const found = alarms(independent, ALPHA);
    for (const count of Object.values(found))
      expect(clopperPearson(count, SERVICES).upperLimit).toBeLessThanOrEqual(LOOKS * ALPHA);
    expect(alarms(independent, 0.2).error_rate ?? 0).toBeGreaterThan(found.error_rate ?? 0);
  });
});
