import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TargetState } from "../../../../mcp-tools/connectors/scrape/target-state.ts";
import { play, STEP } from "./play.ts";

const UNREADABLE = ["NaN", "+Inf", "-Inf", "-5", "1e300", "many"] as const;
const TICKS = 9;

/**
 * A page of the tick: 100 requests of each of two routes a tick, of which 2 fail on "/a" and 1 on "/b"; by the histogram half of
 * them take up to 0.1 s; half a core of 2 is used; two queues hold 3 and 5.
 */
const rowsOf = (tick: number): Readonly<Record<string, number>> => ({
  'http_requests_total{service="lone",route="/a",status="200"}': 98 * tick,
  'http_requests_total{service="lone",route="/a",status="500"}': 2 * tick,
  'http_requests_total{service="lone",route="/b",status="200"}': 99 * tick,
  'http_requests_total{service="lone",route="/b",status="500"}': tick,
  'http_request_duration_seconds_bucket{service="lone",le="0.1"}': 100 * tick,
  'http_request_duration_seconds_bucket{service="lone",le="1"}': 200 * tick,
  'http_request_duration_seconds_bucket{service="lone",le="+Inf"}': 200 * tick,
  'http_request_duration_seconds_count{service="lone"}': 200 * tick,
  'process_cpu_seconds_total{service="lone"}': tick / 2,
  'process_cpu_limit_cores{service="lone"}': 2,
  'queued{service="lone",queue="a"}': 3,
  'queued{service="lone",queue="b"}': 5,
  'sold_total{service="lone",shop="a"}': 10 * tick,
  'sold_total{service="lone",shop="b"}': 20 * tick,
});
const WHOLE = {
  request_rate: 200,
  error_rate: 0.015,
  p50_latency: 100,
  cpu_usage: 0.25,
  queues: 8,
  longest: 5,
  sales: 30,
};
type Metric = keyof typeof WHOLE;

const base = { matchers: [], scale: 1, unit: "", worse: "up" } as const;
const custom = {
  queues: { ...base, series: "queued", kind: "gauge", aggregate: "sum" },
  longest: { ...base, series: "queued", kind: "gauge", aggregate: "max" },
  sales: { ...base, series: "sold_total", kind: "counter", aggregate: "sum" },
} as const;

/** What stands in the page in place of a row: a value, nothing at all, or a line that nobody can read. */
const LEFT_OUT = "left out";
const GARBLED = "its labels have no end";
function pageOf(tick: number, row: string, sample: string | null): string {
  const lines = Object.entries(rowsOf(tick)).map(([series, value]) => {
    if (series !== row || sample === null) return `${series} ${value}\n`;
    if (sample === LEFT_OUT) return "";
    return sample === GARBLED ? `${series.slice(0, -2)} ${value}\n` : `${series} ${sample}\n`;
  });
  return lines.join("");
}

const FAILURES = 'http_requests_total{service="lone",route="/a",status="500"}';
const REQUESTS = 'http_requests_total{service="lone",route="/b",status="200"}';
const BUCKET = 'http_request_duration_seconds_bucket{service="lone",le="0.1"}';
const CPU = 'process_cpu_seconds_total{service="lone"}';
const LIMIT = 'process_cpu_limit_cores{service="lone"}';
const QUEUE = 'queued{service="lone",queue="b"}';
const SOLD = 'sold_total{service="lone",shop="a"}';

/** Which metrics need a row. */
const NEEDS: readonly (readonly [row: string, metrics: readonly Metric[]])[] = [
  [FAILURES, ["request_rate", "error_rate"]],
  [REQUESTS, ["request_rate", "error_rate"]],
  [BUCKET, ["p50_latency"]],
  [CPU, ["cpu_usage"]],
  [LIMIT, ["cpu_usage"]],
  [QUEUE, ["queues"]],
  [SOLD, ["sales"]],
];

/** The metrics at ticks 1 to 8 (an infinite one is missing: `believed`), where `sample` stands in place of `row` in the ticks that `isIn` says. */
async function played(
  row: string,
  sample: string,
  isIn: (tick: number) => boolean,
): Promise<Readonly<Record<string, readonly (number | null)[]>>> {
  const pages = Array.from({ length: TICKS }, (_, tick) => pageOf(tick, row, isIn(tick) ? sample : null));
  const { values } = await play([pages], { custom });
  const names = Object.keys(WHOLE) as Metric[];
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [
        name,
        ((await values(name)) ?? WHOLE_GAP).map((value) => (value === Infinity ? null : value)),
      ]),
    ),
  );
}
const WHOLE_GAP: readonly null[] = Array.from({ length: TICKS - 1 }, () => null);

const isClose = (value: number | null | undefined, whole: number) =>
  value !== null && value !== undefined && Math.abs(value - whole) < 1e-9 * whole;

describe("S9: a sample that cannot be read makes what needs it unknown, and nothing else", () => {
  // An infinite or negative gauge is a figure of its own, which whoever believes samples takes as missing.
  const samplesOf = (row: string) =>
    row === QUEUE || row === LIMIT ? ["NaN", "many", GARBLED] : [...UNREADABLE, GARBLED];
  const each = NEEDS.flatMap(([row, metrics]) => samplesOf(row).map((sample) => [row, sample, metrics] as const));

  it.each(each)("%s is %s from the fourth tick on: %j unknown from then on", async (row, sample, metrics) => {
    const all = await played(row, sample, (tick) => tick >= 4);
    const told = (Object.keys(WHOLE) as Metric[]).map((name) => [name, all[name]?.map((value) => value !== null)]);
    const wanted = (Object.keys(WHOLE) as Metric[]).map((name) => [
      name,
      WHOLE_GAP.map((_, i) => i + 1 < 4 || !metrics.includes(name)),
    ]);
    expect(told).toEqual(wanted);
    for (const [name, whole] of Object.entries(WHOLE))
      for (const value of all[name] ?? [])
        if (value !== null && name !== "longest") expect(value).toBeCloseTo(whole, 9);
  });

  it.each([...UNREADABLE, GARBLED])("failures that are %s on every scrape are not 0 failures", async (sample) => {
    const { error_rate, request_rate, p50_latency } = await played(FAILURES, sample, () => true);
    expect(error_rate).toEqual(WHOLE_GAP);
    expect(request_rate).toEqual(WHOLE_GAP);
    expect(p50_latency?.slice(1).every((value) => isClose(value, WHOLE.p50_latency))).toBe(true);
  });

  it("a histogram without any status says nothing of failures", async () => {
    const pages = Array.from({ length: TICKS }, (_, tick) =>
      Object.entries(rowsOf(tick))
        .filter(([series]) => !series.startsWith("http_requests_total"))
        .map(([series, value]) => `${series} ${value}\n`)
        .join(""),
    );
    const { values } = await play([pages]);
    expect(await values("request_rate")).toEqual(WHOLE_GAP.map(() => 200));
    expect(await values("error_rate")).toBeUndefined();
  });
});

describe("S9: what a counter grew by over a gap is no step's", () => {
  const COUNTERS = [FAILURES, REQUESTS, BUCKET, CPU, SOLD] as const;
  const each = COUNTERS.flatMap((row) => [...UNREADABLE, GARBLED, LEFT_OUT].map((sample) => [row, sample] as const));

  it.each(each)("%s is %s in ticks 3 to 6: unknown at tick 7, and whole at tick 8", async (row, sample) => {
    const all = await played(row, sample, (tick) => tick >= 3 && tick <= 6);
    for (const name of NEEDS.find(([one]) => one === row)?.[1] ?? []) {
      expect([name, all[name]?.[6]]).toEqual([name, null]);
      expect(isClose(all[name]?.[7], WHOLE[name])).toBe(true);
      expect(isClose(all[name]?.[1], WHOLE[name])).toBe(true);
    }
  });

  it("a series that was left out and has not grown leaves nothing open", async () => {
    const page = (tick: number) => pageOf(tick, FAILURES, tick >= 3 && tick <= 6 ? LEFT_OUT : "7");
    const { values } = await play([Array.from({ length: TICKS }, (_, tick) => page(tick))]);
    expect((await values("error_rate"))?.every((value) => value !== null)).toBe(true);
  });

  it("a restart that only an unreadable start time hides is seen when the time can be read again", () => {
    const state = new TargetState({
      ...{ labels: {}, serviceLabel: "service", versionLabel: "version", custom: {}, maxSamples: 100 },
      maxElapsedMs: 2.5 * STEP,
    });
    const read = (tick: number, count: number, start: string) =>
      state.read(
        `http_requests_total{service="lone",status="200"} ${count}\nprocess_start_time_seconds ${start}\n`,
        tick * STEP,
        (tick - 1) * STEP,
      ).readings[0]?.requests;
    read(100, 5, "50");
    expect(read(101, 8, "NaN")).toBe(3);
    expect(read(102, 9, "101")).toBe(9);
  });

  const sample = fc.constantFrom("fine", "fine", "fine", "NaN", "+Inf", "-1", "many");
  const tick = fc.record({
    good: fc.nat(20),
    bad: fc.nat(5),
    of200: sample,
    of500: sample,
    page: fc.constantFrom("answered", "answered", "answered", "missed"),
  });
  it("whatever is unreadable when, each figure that is told is what was counted in its own span", () => {
    fc.assert(
      fc.property(fc.array(tick, { maxLength: 40 }), (story) => {
        const state = new TargetState({
          ...{ labels: {}, serviceLabel: "service", versionLabel: "version", custom: {}, maxSamples: 100 },
          maxElapsedMs: 2.5 * STEP,
        });
        let [good, bad] = [0, 0];
        const counted: { good: number; bad: number }[] = [];
        story.forEach((one, i) => {
          good += one.good;
          bad += one.bad;
          counted.push(one);
          if (one.page === "missed") return;
          const rows = [
            `http_requests_total{service="lone",status="200"} ${one.of200 === "fine" ? good : one.of200}\n`,
            `http_requests_total{service="lone",status="500"} ${one.of500 === "fine" ? bad : one.of500}\n`,
            `http_request_duration_seconds_count{service="lone"} ${good + bad}\n`,
          ];
          const at = 1_000_000 + i * STEP;
          for (const { requests, errors, elapsedMs } of state.read(rows.join(""), at, at - STEP).readings) {
            if (requests === undefined) continue;
            const span = counted.slice(-(elapsedMs ?? 0) / STEP);
            const sum = (of: "good" | "bad") => span.reduce((total, step) => total + step[of], 0);
            expect({ requests, errors }).toEqual({ requests: sum("good") + sum("bad"), errors: sum("bad") });
          }
        });
      }),
      { numRuns: 500 },
    );
  });
});
