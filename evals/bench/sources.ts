import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { composeAgent } from "../../agent/compose/agent.ts";
import { withDeadlines } from "../../agent/compose/deadlines.ts";
import { terminalNotifier } from "../../agent/compose/notifier.ts";
import { createPatience, type PatienceLimits } from "../../agent/compose/patience.ts";
import type { WatchEvent } from "../../agent/watch/events.ts";
import { assess, createAssessor, episodes } from "../../core/assessment/assessor.ts";
import type { Clock, Patience } from "../../core/ports.ts";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";
import { type Bundle, readBundle } from "../replay/bundle.ts";
import { bundleSources } from "../replay/bundle-sources.ts";
import { replayExecutors } from "../replay/replay-executors.ts";
import { configFor } from "../replay/seed-config.ts";
import { generateBundle } from "../scenarios/generate.ts";
import { writeBundle } from "../scenarios/write.ts";
import type { BenchOutcome } from "./catalog.ts";
import { medianOf } from "./intervals.ts";
import { KINDS, type Kind, MOODS, type Mood, type UnsteadySources, unsteadySources } from "./unsteady-sources.ts";

const PAIRS = 50;
const MOST_RATIO = 1.1;
const FAMILY = "bad-deploy-errors";
/** Evaluations with every source well, before one of them changes its mood. */
const WARM = 8;

/**
 * The product's own proportions at a step of 15 s (an answer may take 10 s, a round waits 3 s, or 1 s for what usually comes
 * at once), a hundredfold as fast: so that reads end, fail and begin anew within a run, as they do in hours.
 */
export const FAST = { stepMs: 150, answerMs: 100, limits: { capMs: 30, floorMs: 10 } as PatienceLimits } as const;

/** One watch over a recorded incident whose sources are behind sockets, each evaluation asked for by the caller. */
export interface UnsteadyWatch {
  be(kind: Kind, mood: Mood): void;
  held(kind: Kind): number;
  /** The next evaluation, a step of the recording later. */
  evaluate(): Promise<void>;
  readonly events: readonly WatchEvent[];
  readonly now: () => number;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface UnsteadyOptions {
  readonly answerMs: number;
  readonly patience: (sources: UnsteadySources) => Patience;
  /** The moment of the recording at which the watch begins, Unix ms; absent: where its own does. */
  readonly from?: number;
}

export async function openUnsteadyWatch(bundle: Bundle, options: UnsteadyOptions): Promise<UnsteadyWatch> {
  const config = configFor(bundle, undefined, "auto");
  let now = options.from ?? bundle.incident.watch.start;
  const clock: Clock = { now: () => now };
  const taken = new Map<string, number>();
  const unsteady = await unsteadySources(bundleSources(bundle, clock, taken));
  const ledger = await openSqliteLedger(":memory:", { clock });
  const events: WatchEvent[] = [];
  const { signal } = new AbortController();
  let plans = 0;
  const { watch } = composeAgent({
    version: "bench",
    config,
    clock,
    sources: withDeadlines(unsteady.sources, options.answerMs),
    executors: replayExecutors(clock, taken),
    observe: async () => undefined,
    ledger,
    store: null,
    notifier: terminalNotifier,
    emit: (event) => void events.push(event),
    postmortem: null,
    patience: options.patience(unsteady),
    gatePatience: options.patience(unsteady),
    newId: () => `plan-${++plans}`,
  });
  await watch.resume(signal);
  return {
    be: unsteady.be,
    held: unsteady.held,
    events,
    now: clock.now,
    async evaluate() {
      await watch.tick(signal);
      now += config.watch.stepMs;
    },
    async [Symbol.asyncDispose]() {
      await unsteady.close();
      await ledger.close();
    },
  };
}

/** The first incident from a seed on of which every kind of source has something to say. */
export function recordingOf(seed: number): Bundle {
  for (let next = seed; ; next += 1) {
    const bundle = generated(FAMILY, next);
    const { logs, spans, topology, alerts } = bundle;
    if (logs.length > 0 && spans.length > 0 && topology !== null && alerts.length > 0) return bundle;
  }
}

function generated(family: string, seed: number): Bundle {
  const folder = mkdtempSync(join(tmpdir(), "unship-sources-"));
  try {
    writeBundle(folder, generateBundle(family, seed));
    return readBundle(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Row {
  readonly kind: Kind;
  readonly mood: Mood;
  readonly medianMs: number;
  readonly wellMs: number;
  readonly ratio: number;
  readonly worstMs: number;
}

/**
 * Each kind of source in each mood: the same evaluations over the same recording, twice in turn: one of the sources hangs,
 * refuses or drips, or all answer. Medians of 50 pairs; ratios of one run.
 */
export async function benchSources(seed: number, pairs = PAIRS): Promise<BenchOutcome> {
  const bundle = recordingOf(seed);
  const rows: Row[] = [];
  for (const kind of KINDS) for (const mood of MOODS) rows.push(await measure(bundle, kind, mood, pairs));
  const met = rows.every(({ ratio }) => ratio <= MOST_RATIO);
  const worst = Math.max(...rows.map(({ ratio }) => ratio));
  return {
    lines: [
      `An evaluation while one source hangs, refuses or drips a byte a second, beside the same one while all answer: medians of ${pairs} pairs, seed ${seed}`,
      "source     mood      with it   all well   ratio   longest",
      ...rows.map(
        ({ kind, mood, medianMs, wellMs, ratio, worstMs }) =>
          `${kind.padEnd(10)} ${mood.padEnd(8)} ${ms(medianMs)} ${ms(wellMs)}   ${ratio.toFixed(3)} ${ms(worstMs)}`,
      ),
      `largest ratio ${worst.toFixed(3)}, at most ${MOST_RATIO} claimed: ${met ? "reached" : "NOT reached"}`,
    ],
    value: { benchmark: "sources", seed, pairs, rows, met },
    met,
  };
}

const ms = (value: number): string => `${value.toFixed(1)} ms`.padStart(9);

async function measure(bundle: Bundle, kind: Kind, mood: Mood, pairs: number): Promise<Row> {
  await using well = await openReading(bundle);
  await using other = await openReading(bundle);
  for (let i = 0; i < WARM; i += 1) for (const reading of [well, other]) await reading.evaluate();
  other.be(kind, mood);
  const took = { well: [] as number[], other: [] as number[] };
  for (let i = 0; i < pairs; i += 1) {
    // In turn first, so that what one leaves for the collector is not always the other's to pay.
    const order = i % 2 === 0 ? (["well", "other"] as const) : (["other", "well"] as const);
    const began = performance.now();
    for (const which of order) {
      const from = performance.now();
      await (which === "well" ? well : other).evaluate();
      took[which].push(performance.now() - from);
    }
    await delay(Math.max(0, FAST.stepMs - (performance.now() - began)));
  }
  const [medianMs, wellMs] = [medianOf(took.other), medianOf(took.well)];
  return { kind, mood, medianMs, wellMs, ratio: medianMs / wellMs, worstMs: Math.max(...took.other) };
}

/**
 * Everything that an evaluation reads and concludes, without what follows from it: what is done about an incident in the
 * one run and cannot be in the other would make the evaluations after it different ones.
 */
async function openReading(bundle: Bundle) {
  const config = configFor(bundle, undefined, "auto");
  // Short of the middle of the recording: some of the evaluations are calm, and some are of the incident.
  const { start, end } = bundle.incident.watch;
  let now = Math.max(start, (start + end) / 2 - (PAIRS / 2 + WARM) * config.watch.stepMs);
  const clock: Clock = { now: () => now };
  const unsteady = await unsteadySources(bundleSources(bundle, clock, new Map()));
  const sources = withDeadlines(unsteady.sources, FAST.answerMs);
  const assessor = createAssessor({ sources, config }, { patience: createPatience(FAST.limits) });
  const { signal } = new AbortController();
  return {
    be: unsteady.be,
    async evaluate() {
      const caseFile = await assessor.gather(now, signal);
      for (const services of episodes(caseFile)) assess(caseFile, config, services);
      now += config.watch.stepMs;
    },
    [Symbol.asyncDispose]: () => unsteady.close(),
  };
}
