import { createAssessor } from "../../core/assessment/assessor.ts";
import type { Clock, Sources } from "../../core/ports.ts";
import type { Http } from "../../mcp-tools/connectors/http.ts";
import { createPrometheus } from "../../mcp-tools/connectors/prometheus/prometheus.ts";
import { benchConfig } from "./bench-config.ts";
import { medianOf } from "./intervals.ts";
import { answerBytes, seriesOf, TICK_METRICS } from "./prometheus-answers.ts";

const SERVICES = 10_000;
const STEP_MS = 15_000;
const START = Date.parse("2026-03-02T12:00:00Z");
const SEASON_STEP_MS = 300_000;
const SEASON_MS = 14 * 86_400_000;
/** Recent samples that every signal has when the measured ticks begin; the seasonal history is two weeks. */
const RECENT = 240;
const TICKS = 12;
const MOST_SECONDS = 1;
const MOST_MIB = 512;

export interface TickReport {
  readonly benchmark: "tick";
  readonly services: number;
  readonly signals: number;
  readonly seed: number;
  readonly medianSeconds: number;
  readonly worstSeconds: number;
  /** For comparison, and not in the median: what `JSON.parse` of the same bytes takes, as one tree of objects. */
  readonly parsingSeconds: number;
  readonly bytesPerTick: number;
  readonly residentMib: number;
  readonly openTests: number;
  /** Seconds a tick with a tenth of the services: cost is linear where the ratio is about ten. */
  readonly tenthSeconds: number;
  readonly met: boolean;
}

/**
 * One tick of what `watch` runs, from the bytes of Prometheus' answers to findings: one query a metric and purpose. The
 * seasonal history is loaded and one service in a hundred has been worse for a few samples. CPU time of this thread.
 */
export async function measureTick(seed: number): Promise<TickReport> {
  const tenth = await run(SERVICES / 10, seed);
  const full = await run(SERVICES, seed);
  const medianSeconds = medianOf(full.seconds);
  return {
    benchmark: "tick",
    services: SERVICES,
    signals: SERVICES * TICK_METRICS.length,
    seed,
    medianSeconds,
    worstSeconds: Math.max(...full.seconds),
    parsingSeconds: full.parsingSeconds,
    bytesPerTick: full.bytes,
    residentMib: full.residentMib,
    openTests: full.openTests,
    tenthSeconds: medianOf(tenth.seconds),
    met: medianSeconds <= MOST_SECONDS && full.residentMib <= MOST_MIB,
  };
}

interface Run {
  readonly seconds: readonly number[];
  readonly parsingSeconds: number;
  readonly bytes: number;
  readonly residentMib: number;
  readonly openTests: number;
}

async function run(services: number, seed: number): Promise<Run> {
  let now = START;
  const taken: Taken = { bytes: 0, writingSeconds: 0, answers: [] };
  const clock: Clock = { now: () => now };
  const http = answeringHttp(taken, (form) => answerBytes(form, services, seed, START));
  const prometheus = createPrometheus({ http, clock, queries: {}, scrapeIntervalMs: STEP_MS, settleMs: 0 });
  const source = { name: prometheus.name, metrics: () => TICK_METRICS, range: prometheus.range };
  const rest = { changes: [], logs: [], traces: [], topology: [], flags: [], rollouts: [], alerts: [] };
  const sources: Sources = { ...rest, metrics: [source] };
  const assessor = createAssessor({ sources, config: { ...benchConfig(), watch: { stepMs: STEP_MS } } });
  for (let service = 0; service < services; service++) {
    const season = seriesOf(service, START - SEASON_MS, START - SEASON_STEP_MS, SEASON_STEP_MS, seed);
    const recent = seriesOf(service, START - RECENT * STEP_MS, START, STEP_MS, seed);
    assessor.engine.ingest([...recent, ...season], "statistics");
  }
  const abort = new AbortController().signal;
  await assessor.tick(now, abort);
  const seconds: number[] = [];
  let residentMib = 0;
  let openTests = 0;
  for (let i = 0; i < TICKS; i++) {
    now += STEP_MS;
    Object.assign(taken, { bytes: 0, writingSeconds: 0, answers: [] });
    const begun = cpuSeconds();
    const { findings } = await assessor.tick(now, abort);
    seconds.push(cpuSeconds() - begun - taken.writingSeconds);
    residentMib = Math.max(residentMib, process.memoryUsage.rss() / 2 ** 20);
    const open = findings.filter(({ verdict }) => verdict === "worse" || verdict === "inconclusive");
    openTests = new Set(open.map(({ service }) => service)).size;
  }
  const begun = cpuSeconds();
  for (const answer of taken.answers) JSON.parse(answer.toString("utf8"));
  return { seconds, parsingSeconds: cpuSeconds() - begun, bytes: taken.bytes, residentMib, openTests };
}

interface Taken {
  bytes: number;
  /** What the stand-in for Prometheus spent, which is not the product's. */
  writingSeconds: number;
  /** The answers of the last tick. */
  answers: Buffer[];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** So much comes off a socket at once. */
const CHUNK = 65_536;
const EMPTY = Buffer.from('{"status":"success","data":{"resultType":"matrix","result":[]}}');

/** Stands where the network would: a request's form goes in, bytes come back as `http.ts` hands them on. */
function answeringHttp(taken: Taken, write: (form: URLSearchParams) => Buffer): Http {
  const unasked = async () => Promise.reject(new Error("a tick asks for ranges alone"));
  return {
    source: "prometheus",
    getJson: unasked,
    getText: unasked,
    lines: async function* () {},
    send: unasked,
    receive: async (_method, _path, body, _type, take) => {
      // One answer after another, as they come off a socket.
      await new Promise(setImmediate);
      const begun = cpuSeconds();
      const form = new URLSearchParams(body);
      // What lies before the measured ticks has been loaded already.
      const answer = Number(form.get("end")) - Number(form.get("start")) > 1800 ? EMPTY : write(form);
      taken.bytes += answer.length;
      taken.writingSeconds += cpuSeconds() - begun;
      taken.answers.push(answer);
      for (let at = 0; at < answer.length; at += CHUNK) take(answer.subarray(at, at + CHUNK));
    },
    close: async () => {},
  };
}

export function tickLines(report: TickReport): readonly string[] {
  const { services, signals, seed, medianSeconds, worstSeconds, parsingSeconds, bytesPerTick, residentMib } = report;
  const seconds = (value: number) => `${value.toFixed(2)} s`;
  return [
    `one tick over ${services} services, ${signals} signals, from the bytes of Prometheus' answers to findings, seed ${seed}`,
    `  CPU time a tick: median ${seconds(medianSeconds)} of ${TICKS}, worst ${seconds(worstSeconds)}; wanted at most ${MOST_SECONDS} s`,
    `  for comparison JSON.parse alone: ${seconds(parsingSeconds)} for ${(bytesPerTick / 2 ** 20).toFixed(1)} MiB; all is ${(medianSeconds / parsingSeconds).toFixed(1)} times that`,
    `  ${Math.round(signals / medianSeconds)} signals a second; ${report.openTests} services under an open test`,
    `  with a tenth of the services ${seconds(report.tenthSeconds)}: ${(medianSeconds / report.tenthSeconds).toFixed(1)} times as much for ten times as many`,
    `  memory: ${residentMib.toFixed(0)} MiB resident, two weeks of seasonal history loaded; wanted at most ${MOST_MIB} MiB`,
    report.met ? "met" : "NOT met",
  ];
}
