import { composeAgent } from "../../agent/compose/agent.ts";
import { terminalNotifier } from "../../agent/compose/notifier.ts";
import type { BudgetedModel } from "../../agent/models/budget.ts";
import type { Config, ModelConfig } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Clock, Notifier } from "../../core/ports.ts";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";
import { type Argued, arguedOf } from "../reasoner/argued.ts";
import { type Bundle, readBundle } from "./bundle.ts";
import { bundleSources, standingGaps } from "./bundle-sources.ts";
import type { Warn } from "./bundle-text.ts";
import { type Episode, placesOf, toEpisode } from "./episode.ts";
import { replayExecutors } from "./replay-executors.ts";
import { configFor } from "./seed-config.ts";
import { type Sketch, sketchOf } from "./sketch.ts";

export interface ReplayOptions {
  readonly version: string;
  readonly config?: string;
  readonly mode?: string;
  /** Whether the result holds what a report draws of the bundle. */
  readonly sketch?: boolean;
  /** A language model beside the core, with its budget; what it argued is in the result. Not for workers: it is no data. */
  readonly reasoner?: Reasoner;
}

export interface Reasoner {
  readonly config: ModelConfig;
  readonly open: () => Promise<BudgetedModel>;
}

export interface ReplayResult {
  readonly id: string;
  readonly episodes: readonly Episode[];
  readonly samples: number;
  readonly sketch?: Sketch;
  /** What a model argued on each incident, in the order of the episodes; absent: none was asked. */
  readonly argued?: readonly Argued[];
}

const BREATH_TICKS = 50;
/** At a second a step, eleven days: longer spans are replayed in parts. */
const MOST_TICKS = 1_000_000;

/** Replays one bundle folder, whose oddities `warn` hears of; see `replayRecording`. The same bundle and configuration give the same result, byte for byte. */
export async function replayBundle(
  directory: string,
  { version, config: file, mode, sketch, reasoner }: ReplayOptions,
  abort: AbortSignal,
  warn: Warn = () => undefined,
): Promise<ReplayResult> {
  const bundle = readBundle(directory, warn);
  const result = await replayRecording(bundle, configFor(bundle, file, mode), version, abort, reasoner);
  return sketch === true ? { ...result, sketch: sketchOf(bundle, result.episodes) } : result;
}

/**
 * Replays what was recorded on a virtual clock: the same watch, chain, gate and ledger as live, over the recording's
 * ports; only the executors do nothing. The configuration's `watch.stepMs` is the clock's step. `notifier` gets what people
 * would be told; without one it is told to nobody.
 */
export async function replayRecording(
  bundle: Bundle,
  configured: Config,
  version: string,
  abort: AbortSignal,
  reasoner?: Reasoner,
  notifierAt: (clock: Clock) => Notifier = () => terminalNotifier,
): Promise<ReplayResult> {
  const config = reasoner === undefined ? configured : { ...configured, model: reasoner.config };
  const { start, end } = bundle.incident.watch;
  const ticks = (end - start) / config.watch.stepMs;
  if (ticks > MOST_TICKS) {
    const reason = `the watch has ${Math.round(ticks)} steps; at most ${MOST_TICKS} are replayed`;
    throw new UnshipError("bundle.invalid", { file: bundle.directory || bundle.incident.id, line: 1, reason });
  }
  let now = start;
  const clock: Clock = { now: () => now };
  const taken = new Map<string, number>();
  let plans = 0;
  const ledger = await openSqliteLedger(":memory:", { clock });
  try {
    const { watch } = composeAgent({
      version,
      config,
      clock,
      sources: bundleSources(bundle, clock, taken),
      executors: replayExecutors(clock, taken),
      observe: async () => undefined,
      gaps: () => standingGaps(bundle),
      ledger,
      store: null,
      notifier: notifierAt(clock),
      emit: () => undefined,
      postmortem: null,
      ...(reasoner === undefined ? {} : { model: reasoner.open }),
      newId: () => {
        plans += 1;
        return `plan-${plans}`;
      },
    });
    await watch.resume(abort);
    for (; now <= end; now += config.watch.stepMs) {
      abort.throwIfAborted();
      await watch.tick(abort);
      // Everything here resolves at once: without a turn of the event loop no signal would ever be heard.
      if ((now - start) % (BREATH_TICKS * config.watch.stepMs) === 0) await new Promise(setImmediate);
    }
    const incidents = await ledger.incidents();
    const places = new Set([...placesOf(bundle), ...bundle.incident.services.map(({ name }) => name)]);
    const inOrder = incidents.toSorted((a, b) => a.detectedAt - b.detectedAt || (a.id < b.id ? -1 : 1));
    const episodes = inOrder.map((incident) => toEpisode(incident, places));
    const samples = bundle.series.reduce((sum, { values }) => sum + values.length, 0);
    if (reasoner === undefined) return { id: bundle.incident.id, episodes, samples };
    const argued = await Promise.all(inOrder.map(({ id }, index) => arguedOf(ledger, id, episodes[index])));
    return { id: bundle.incident.id, episodes, samples, argued };
  } finally {
    await ledger.close();
  }
}
