import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { readFile } from "../replay/bundle-text.ts";
import { replayAll } from "../replay/replay-pool.ts";
import { createDraw } from "../scenarios/draw.ts";
import { families, generateBundle } from "../scenarios/generate.ts";
import { writeBundle } from "../scenarios/write.ts";
import { type Spread, spreadOf } from "./intervals.ts";

const BUNDLES = 12;
/** The lowest and the highest of six runs enclose the median of all such runs 97 times in 100. */
const RUNS = 6;
const LEAST_PER_SECOND = 1_000_000;

export interface ReplaySpeedReport {
  readonly benchmark: "replay";
  readonly seed: number;
  readonly bundles: number;
  readonly samples: number;
  readonly bytes: number;
  readonly cores: number;
  readonly runs: number;
  /** Samples a second of wall clock over all cores, from the folders to the decisions. */
  readonly perSecond: Spread;
  /** Samples a second of CPU time, of all threads together. */
  readonly perCpuSecond: Spread;
  /** The same of a pass that takes the same bytes apart and does nothing else. */
  readonly parsedPerCpuSecond: Spread;
  /** CPU time of a replay over that of the bare pass of the same run. */
  readonly ratio: Spread;
  readonly met: boolean;
}

/** How fast `bundles` generated incidents, families in turn, are replayed. See `measureOver`. */
export async function measureReplay(seed: number, bundles = BUNDLES): Promise<ReplaySpeedReport> {
  const directory = mkdtempSync(join(tmpdir(), "unship-replay-"));
  try {
    return await measureOver(written(directory, bundles, seed), seed, RUNS);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * How fast these bundle folders are replayed, on all cores, beside a bare pass over the same bytes: read, unpack,
 * `JSON.parse` each line. The two take turns, so that a machine that is busy for a while slows both; their ratio moves
 * less with it than either. `seed` is what they were drawn from.
 */
export async function measureOver(places: readonly string[], seed: number, runs: number): Promise<ReplaySpeedReport> {
  const measured: Run[] = [];
  for (let run = 0; run < runs; run++) measured.push(await measureOnce(places));
  const { samples, bytes } = measured[0] ?? { samples: 0, bytes: 0 };
  const over = (of: (run: Run) => number) => spreadOf(measured.map(of));
  const perSecond = over((run) => samples / run.wallSeconds);
  return {
    benchmark: "replay",
    seed,
    bundles: places.length,
    samples,
    bytes,
    cores: availableParallelism(),
    runs,
    perSecond,
    perCpuSecond: over((run) => samples / run.cpuSeconds),
    parsedPerCpuSecond: over((run) => samples / run.parsingSeconds),
    ratio: over((run) => run.cpuSeconds / run.parsingSeconds),
    met: perSecond.median >= LEAST_PER_SECOND,
  };
}

function written(directory: string, bundles: number, seed: number): readonly string[] {
  const seeds = createDraw(`seeds/${seed}`);
  const names = families();
  return Array.from({ length: bundles }, (_, i) => {
    const place = join(directory, String(i).padStart(5, "0"));
    writeBundle(place, generateBundle(names[i % names.length] ?? "", seeds.integer(0, 2 ** 31 - 1)));
    return place;
  });
}

interface Run {
  readonly samples: number;
  readonly bytes: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly parsingSeconds: number;
}

async function measureOnce(places: readonly string[]): Promise<Run> {
  const begun = cpuSeconds();
  const parsed = places.map(takeApart);
  const parsingSeconds = cpuSeconds() - begun;
  const started = { wall: performance.now(), cpu: cpuSeconds() };
  const replayed = await replayAll(places, { version: "bench" }, new AbortController().signal);
  const wallSeconds = (performance.now() - started.wall) / 1000;
  const samples = replayed.reduce((sum, { result }) => sum + result.samples, 0);
  const read = parsed.reduce((sum, one) => sum + one.samples, 0);
  if (read !== samples) throw new Error(`the bare pass read ${read} samples, the replay ${samples}`);
  const bytes = parsed.reduce((sum, one) => sum + one.bytes, 0);
  return { samples, bytes, wallSeconds, cpuSeconds: cpuSeconds() - started.cpu, parsingSeconds };
}

/** CPU time of all threads of this process, in seconds. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Every file of a bundle as JSON, and nothing done with it but counting samples. */
export function takeApart(bundle: string): { readonly samples: number; readonly bytes: number } {
  let samples = 0;
  let bytes = 0;
  for (const name of readdirSync(bundle)) {
    const text = readFile(join(bundle, name));
    bytes += Buffer.byteLength(text);
    const isLines = /\.jsonl(\.gz)?$/.test(name);
    for (const line of isLines ? text.split("\n") : [text]) {
      if (line === "") continue;
      const value: unknown = JSON.parse(line);
      if (name.startsWith("series.jsonl") && hasValues(value)) samples += value.values.length;
    }
  }
  return { samples, bytes };
}

const hasValues = (value: unknown): value is { readonly values: readonly unknown[] } =>
  typeof value === "object" && value !== null && "values" in value && Array.isArray(value.values);

export function replayLines(report: ReplaySpeedReport): readonly string[] {
  const { bundles, samples, bytes, seed, cores, runs, perSecond, perCpuSecond, parsedPerCpuSecond, ratio } = report;
  const whole = ({ median, lowest, highest }: Spread) =>
    `${Math.round(median)} (${Math.round(lowest)} to ${Math.round(highest)})`;
  return [
    `${bundles} generated incidents, ${samples} samples, ${(bytes / 2 ** 20).toFixed(1)} MiB of JSON, seed ${seed}; median of ${runs} runs (lowest to highest)`,
    `  replayed on ${cores} cores: ${whole(perSecond)} samples a second; wanted at least ${LEAST_PER_SECOND}`,
    `  a second of CPU time: ${whole(perCpuSecond)} samples; the bare pass that only parses the same bytes: ${whole(parsedPerCpuSecond)}`,
    `  a replay takes ${ratio.median.toFixed(1)} (${ratio.lowest.toFixed(1)} to ${ratio.highest.toFixed(1)}) times the CPU time of the bare pass`,
    report.met ? "met" : "NOT met",
  ];
}
