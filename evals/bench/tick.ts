import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createSampleFile } from "../../agent/compose/older-samples.ts";
import { createAssessor } from "../../core/assessment/assessor.ts";
import type { Clock, Sources } from "../../core/ports.ts";
import { createHttp, type Http, type Path } from "../../mcp-tools/connectors/http.ts";
import { createPrometheus } from "../../mcp-tools/connectors/prometheus/prometheus.ts";
import { benchConfig } from "./bench-config.ts";
import { type Limits, limitsText, medianLimits, medianOf } from "./intervals.ts";
import { seriesOf, TICK_METRICS } from "./prometheus-answers.ts";
import type { StandIn } from "./prometheus-process.ts";

const SERVICES = 10_000;
const STEP_MS = 15_000;
const START = Date.parse("2026-03-02T12:00:00Z");
const SEASON_STEP_MS = 300_000;
const SEASON_MS = 14 * 86_400_000;
/** Recent samples that every signal has when the measured ticks begin: all that a watch keeps, six hours. */
const RECENT = 1440;
const TICKS = 12;
const MOST_SECONDS = 1;
const MOST_MIB = 512;

export interface TickReport {
  readonly benchmark: "tick";
  readonly services: number;
  readonly signals: number;
  readonly seed: number;
  readonly medianSeconds: number;
  /** 95 % limits of the median, of this run on this machine. */
  readonly medianLimits: Limits | null;
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
 * One tick of what `watch` runs, from the bytes of Prometheus' answers, off a socket, to findings: one query a metric and
 * purpose. Two weeks of seasonal history and six hours of samples are loaded, and one service in a hundred has been worse
 * for a few samples. CPU time and memory of this process; what stands in for Prometheus is another one.
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
    medianLimits: medianLimits(full.seconds),
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
  await using own = new AsyncDisposableStack();
  let now = START;
  const clock: Clock = { now: () => now };
  const { http, taken } = await openStandIn({ services, seed, worseAt: START }, own);
  const prometheus = createPrometheus({ http, clock, queries: {}, scrapeIntervalMs: STEP_MS, settleMs: 0 });
  const source = { name: prometheus.name, metrics: () => TICK_METRICS, range: prometheus.range };
  const rest = { changes: [], logs: [], traces: [], topology: [], flags: [], rollouts: [], alerts: [] };
  const sources: Sources = { ...rest, metrics: [source] };
  const folder = mkdtempSync(join(tmpdir(), "unship-tick-"));
  own.defer(() => rmSync(folder, { recursive: true }));
  const samples = createSampleFile(folder);
  own.defer(() => samples.close());
  const config = { ...benchConfig(), watch: { stepMs: STEP_MS } };
  const assessor = createAssessor({ sources, config }, { openShelf: samples.openShelf });
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
    taken.bytes = 0;
    taken.asked = [];
    const begun = cpuSeconds();
    const { findings, gaps } = await assessor.tick(now, abort);
    seconds.push(cpuSeconds() - begun);
    if (gaps.length > 0) throw new Error(`a tick did not read everything: ${JSON.stringify(gaps)}`);
    residentMib = Math.max(residentMib, process.memoryUsage.rss() / 2 ** 20);
    const open = findings.filter(({ verdict }) => verdict === "worse" || verdict === "inconclusive");
    openTests = new Set(open.map(({ service }) => service)).size;
  }
  const { bytes } = taken;
  return { seconds, parsingSeconds: await parsingSeconds(http, [...taken.asked]), bytes, residentMib, openTests };
}

/** A process that answers as Prometheus would, and the way there. Ends with `own`. */
async function openStandIn(standIn: StandIn, own: AsyncDisposableStack) {
  const script = join(import.meta.dirname, `prometheus-process${extname(import.meta.filename)}`);
  const child = fork(script, [JSON.stringify(standIn)], { execArgv: ["--disable-warning=ExperimentalWarning"] });
  own.defer(() => child.disconnect());
  const [{ port }] = (await once(child, "message")) as [{ readonly port: number }];
  const http = createHttp({ source: "prometheus", base: new URL(`http://127.0.0.1:${port}`), timeoutMs: 300_000 });
  own.defer(() => http.close());
  const taken: Taken = { bytes: 0, asked: [] };
  const noting: Http = {
    ...http,
    receive: (method, where, body, type, take, abort) => {
      taken.asked.push({ where, body, type });
      const counted = (bytes: Buffer) => {
        taken.bytes += bytes.length;
        take(bytes);
      };
      return http.receive(method, where, body, type, counted, abort);
    },
  };
  return { http: noting, taken };
}

/** What was asked and answered since this was emptied last. */
interface Taken {
  bytes: number;
  asked: { readonly where: Path; readonly body: string; readonly type: string }[];
}

/** What `JSON.parse` of the answers to one tick takes, each as a whole. */
async function parsingSeconds(http: Http, asked: Taken["asked"]): Promise<number> {
  let seconds = 0;
  for (const { where, body, type } of asked) {
    const chunks: Buffer[] = [];
    await http.receive("POST", where, body, type, (chunk) => chunks.push(chunk), new AbortController().signal);
    const begun = cpuSeconds();
    JSON.parse(Buffer.concat(chunks).toString("utf8"));
    seconds += cpuSeconds() - begun;
  }
  return seconds;
}

/** CPU time of all threads of this process, the garbage collector's included. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function tickLines(report: TickReport): readonly string[] {
  const { services, signals, seed, medianSeconds, worstSeconds, parsingSeconds, bytesPerTick, residentMib } = report;
  const seconds = (value: number) => `${value.toFixed(2)} s`;
  return [
    `one tick over ${services} services, ${signals} signals, from the bytes of Prometheus' answers to findings, seed ${seed}; 95 % limits from order statistics`,
    `  CPU time a tick: median ${seconds(medianSeconds)}${limitsText(report.medianLimits, seconds)} of ${TICKS}, worst ${seconds(worstSeconds)}; wanted at most ${MOST_SECONDS} s`,
    `  for comparison JSON.parse alone: ${seconds(parsingSeconds)} for ${(bytesPerTick / 2 ** 20).toFixed(1)} MiB; all is ${(medianSeconds / parsingSeconds).toFixed(1)} times that`,
    `  ${Math.round(signals / medianSeconds)} signals a second; ${report.openTests} services under an open test`,
    `  with a tenth of the services ${seconds(report.tenthSeconds)}: ${(medianSeconds / report.tenthSeconds).toFixed(1)} times as much for ten times as many`,
    `  memory: ${residentMib.toFixed(0)} MiB resident, two weeks of seasonal history and six hours of samples loaded; wanted at most ${MOST_MIB} MiB`,
    report.met ? "met" : "NOT met",
  ];
}
