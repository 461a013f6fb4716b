import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AtWork, Composition, WhoIsAtWork } from "../../agent/cli/composition.ts";
import { auditDesk } from "../../agent/compose/audit.ts";
import { toolContext } from "../../agent/compose/chain.ts";
import { investigateOnce } from "../../agent/compose/investigate.ts";
import { pastOf } from "../../agent/compose/past.ts";
import { draftPostmortem } from "../../agent/compose/postmortems.ts";
import { createSourcesDown } from "../../agent/watch/sources-down.ts";
import { createAssessor } from "../../core/assessment/assessor.ts";
import { explain } from "../../core/config/explain.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Clock, Sources } from "../../core/ports.ts";
import { openLab } from "../../evals/lab.ts";
import { standingGaps } from "../../evals/replay/bundle-sources.ts";
import { generateBundle } from "../../evals/scenarios/generate.ts";
import { writeBundle } from "../../evals/scenarios/write.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { pastComposition } from "../evals/lab/past-composition.ts";
import { type Answers, type Given, replayed, type Stopped } from "../evals/one-story/replayed.ts";
import { ALICE_TOKEN } from "../mcp-tools/gate/gate-world.ts";
import { typed } from "./terminal.ts";

const MINUTE = 60_000;
const DATA = join(import.meta.dirname, "../../evals/data/incidents");

/** A recorded incident of the repository, by its name. */
export const recorded = (name: string): string => join(DATA, name);

/** Runs over an incident of this family, drawn from this seed. */
export async function generated<T>(family: string, seed: number, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "unship-screens-"));
  try {
    writeBundle(folder, generateBundle(family, seed));
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The watch at work, as status tells of it: always the same process. */
export const watching = ({ bundle, config }: Stopped): AtWork => ({
  ...{ work: "watch", pid: 4711, host: "ops-1", since: bundle.incident.watch.start },
  ...{ mode: config.mode, modeIsAsked: false, version: config.version ?? null },
});

/** What a story does at an evaluation, and whether it goes on. */
export type Each = (at: Screen) => Promise<void>;

/** One moment of a story, with whatever people can ask then. */
export interface Screen extends Stopped {
  /** What a person sees who types this at a terminal; a token that is asked for is alice's. */
  readonly type: (line: string, over?: Partial<Composition>) => Promise<string>;
  readonly tools: () => Promise<ToolContext>;
}

export interface Told extends Omit<Given, "each"> {
  /** Whether a watch is at work; default: yes. */
  readonly watched?: boolean;
}

/** Tells a bundle's story, evaluation by evaluation. */
export async function story(directory: string, answers: Answers, each: Each, given: Told = {}): Promise<void> {
  const down = createSourcesDown();
  await replayed(directory, answers, async () => undefined, {
    ...given,
    async each(stopped) {
      for (const event of stopped.events) down.note(event);
      await stopped.ledger.saveEvaluation({
        at: stopped.now,
        stepMs: stopped.config.watch.stepMs,
        down: [...down.down()],
      });
      await each(screenOf(stopped, given.watched ?? true));
    },
  });
}

export function screenOf(stopped: Stopped, watched = true): Screen {
  return {
    ...stopped,
    type: (line, over = {}) =>
      typed(line, (terminal) => ({ ...compositionOf(stopped, watched), ...over, terminal }), {
        lab: openLab(),
        secret: ALICE_TOKEN,
      }),
    tools: () => toolsOf(stopped),
  };
}

/** The commands over one moment of a replay: its ledger, its gate, its clock. */
function compositionOf(stopped: Stopped, watched: boolean): Composition {
  const { config, clock, sources, ledger, gate, bundle, now } = stopped;
  const kept = { ...ledger, close: async () => undefined };
  const { composition } = pastComposition(config, sources, now);
  const who: WhoIsAtWork = {
    ...{ ledger: "/var/lib/unship/ledger.db", isThere: true, gate: null },
    processes: watched ? [watching(stopped)] : [],
  };
  const gaps = () => standingGaps(bundle);
  return {
    ...composition,
    version: "1.0.0",
    config: async ({ config: file = "unship.yaml" }) => ({ config, file }),
    explain: async (one) => explain(one),
    ledger: async () => kept,
    desk: async () => ({ gate, ledger: kept }),
    atWork: async () => who,
    hasEnded: async () => false,
    audit: async () => auditDesk(() => now),
    postmortem: (_, incident, format) => draftPostmortem(incident, { config, ledger, store: null, format }),
    investigate: async (_, ask, abort) =>
      investigateOnce(
        {
          ...{ version: "1.0.0", config, clock, sources, observe: async () => undefined, gaps },
          ...{ ask, past: await pastOf(ledger) },
        },
        abort,
      ),
  };
}

/** What the MCP server's tools answer from at one moment. */
async function toolsOf({ config, clock, sources, ledger, gate, bundle, now }: Stopped): Promise<ToolContext> {
  const abort = new AbortController().signal;
  const file = await createAssessor({ sources, config }).gather(now, abort);
  const caseFile = { ...file, gaps: [...file.gaps, ...standingGaps(bundle)] };
  const parts = { version: "1.0.0", config, clock, sources, ledger, store: null, gate };
  return {
    ...toolContext(parts, async () => caseFile, "mcp:stdio"),
    watching: async () => ({ isWatched: true, since: bundle.incident.watch.start }),
    draft: (incident) => draftPostmortem(incident, { config, ledger, store: null, format: "md" }),
  };
}

/** Sources of which everything is within its baseline again from a moment on: each sample is one from before `onset`. */
export function healed(own: Sources, from: () => number | null, onset: number): Sources {
  const before = 20 * MINUTE;
  return {
    ...own,
    metrics: own.metrics.map((source) => ({
      ...source,
      range: async (query, abort) => {
        const all = await source.range(query, abort);
        const since = from();
        if (since === null || query.window.to < since) return all;
        const calm = { ...query, window: { from: onset - before, to: onset - MINUTE } };
        const healthy = await source.range(calm, abort);
        return all.map((series) => withCalm(series, healthy, since));
      },
    })),
  };
}

const keyOf = ({ service, metric, labels, stepMs }: Series): string =>
  JSON.stringify([service, metric, labels, stepMs]);

function withCalm(series: Series, healthy: readonly Series[], since: number): Series {
  const calm = healthy.find((one) => keyOf(one) === keyOf(series))?.values ?? [];
  const values = series.values.map((value, index) => {
    const at = series.startAt + index * series.stepMs;
    if (at < since) return value;
    return calm[Math.floor((at - since) / series.stepMs) % calm.length] ?? null;
  });
  return { ...series, values };
}

/** Sources whose metrics answer nothing from a moment on. */
export function without(own: Sources, part: "metrics" | "changes", from: () => number | null, clock: Clock): Sources {
  const isDown = () => clock.now() >= (from() ?? Number.POSITIVE_INFINITY);
  const source = part === "metrics" ? "prometheus" : "kubernetes";
  const down = () => {
    throw new UnshipError("source.unavailable", { source, reason: "connection refused" });
  };
  return part === "metrics"
    ? {
        ...own,
        metrics: own.metrics.map((one) => ({
          ...one,
          name: source,
          range: async (query, abort) => (isDown() ? down() : one.range(query, abort)),
        })),
      }
    : {
        ...own,
        changes: own.changes.map((one) => ({
          ...one,
          name: source,
          changes: async (window, abort) => (isDown() ? down() : one.changes(window, abort)),
        })),
      };
}
