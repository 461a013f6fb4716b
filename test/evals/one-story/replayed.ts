import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeAgent } from "../../../agent/compose/agent.ts";
import { terminalNotifier } from "../../../agent/compose/notifier.ts";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import type { Config } from "../../../core/config/config.ts";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import { waitingPlan } from "../../../core/guardrails/incident-text.ts";
import type { Incident } from "../../../core/model/incident.ts";
import type { Clock, Executor, Gate, Ledger, Notice, Sources } from "../../../core/ports.ts";
import { type Bundle, readBundle } from "../../../evals/replay/bundle.ts";
import { bundleSources, standingGaps } from "../../../evals/replay/bundle-sources.ts";
import { replayExecutors } from "../../../evals/replay/replay-executors.ts";
import { configFor } from "../../../evals/replay/seed-config.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { ALICE_TOKEN, keyed } from "../../mcp-tools/gate/gate-world.ts";

/** Whether plans run by themselves, or a person says yes or no to each. */
export type Answers = "nobody is asked" | "nobody answers" | "approve" | "reject";

/** A replay stopped between two looks of the watch, with all that surfaces are made of. */
export interface Stopped {
  /** What is so of the incidents: "the first decision", "a plan waits", … */
  readonly when: string;
  readonly now: number;
  readonly bundle: Bundle;
  readonly config: Config;
  readonly clock: Clock;
  readonly sources: Sources;
  readonly ledger: Ledger & GateStore;
  readonly gate: Gate;
  /** As the ledger holds them. */
  readonly incidents: readonly Incident[];
  /** What the look just made told of them. */
  readonly events: readonly WatchEvent[];
  readonly notices: readonly Notice[];
}

/** So many looks a person takes to answer, and an act has to show its effect. */
const LOOKS_LATER = 8;

/** What differs from a plain replay of the bundle. */
export interface Given {
  /** Hears of every evaluation since the start, and not only of the moments of `look`. */
  readonly each?: (stopped: Stopped) => Promise<void>;
  /** The sources as unship meets them, made of the bundle's own. */
  readonly sources?: (own: Sources, clock: Clock) => Sources;
  /** What carries plans out; absent: acts that have the effect which the bundle's truth gives them. */
  readonly executors?: (own: readonly Executor[], clock: Clock) => readonly Executor[];
  readonly config?: Partial<Config>;
}

const APPROVER = { name: "alice", ...keyed(ALICE_TOKEN), services: null, actions: null, upTo: "critical" } as const;

/**
 * Replays a bundle through the same watch, chain, gate and ledger as live, and stops at the first decision, where a plan
 * waits, after an act, where an act is judged, and at the end, for whoever looks at all surfaces there.
 */
export async function replayed(
  directory: string,
  answers: Answers,
  look: (stopped: Stopped) => Promise<void>,
  given: Given = {},
): Promise<void> {
  const bundle = readBundle(directory, () => undefined);
  const folder = mkdtempSync(join(tmpdir(), "unship-story-"));
  const asked = answers === "nobody is asked" ? undefined : "approve";
  const base = configFor(bundle, undefined, asked);
  // Drafts are written and looked for beside the ledger.
  const config: Config = {
    ...base,
    ...given.config,
    approvers: [APPROVER],
    ledger: { ...base.ledger, type: "sqlite", path: join(folder, "ledger.db") } as Config["ledger"],
  };
  const { start, end } = bundle.incident.watch;
  let now = start;
  const clock: Clock = { now: () => now };
  const taken = new Map<string, number>();
  const own = bundleSources(bundle, clock, taken);
  const sources = given.sources?.(own, clock) ?? own;
  const acts = replayExecutors(clock, taken);
  const ledger = await openSqliteLedger(":memory:", { clock });
  let events: WatchEvent[] = [];
  let notices: Notice[] = [];
  let plans = 0;
  const { watch, gate } = composeAgent({
    version: "test",
    config,
    clock,
    sources,
    executors: given.executors?.(acts, clock) ?? acts,
    observe: async () => undefined,
    gaps: () => standingGaps(bundle),
    ledger,
    store: null,
    notifier: {
      ...terminalNotifier,
      notify: async (notice) => {
        notices.push(notice);
        return { delivered: true, detail: "sent" };
      },
    },
    emit: (event) => void events.push(event),
    postmortem: null,
    newId: () => {
      plans += 1;
      return `plan-${plans}`;
    },
  });
  const { signal } = new AbortController();
  const seen = new Map<string, number>();
  try {
    await watch.resume(signal);
    for (let looks = 0; now <= end; now += config.watch.stepMs, looks += 1) {
      // What was told at the start belongs to the first evaluation.
      if (looks > 0) [events, notices] = [[], []];
      await watch.tick(signal);
      if (given.each !== undefined) await given.each(await stoppedAt("each evaluation"));
      const isLast = now + config.watch.stepMs > end;
      const active = watch.open().length > 0 || events.some(({ event }) => event === "incident.closed");
      if (!active && !isLast) continue;
      const incidents = await ledger.incidents();
      const when = momentsOf(incidents, now).filter((one) => !seen.has(one));
      for (const one of when) seen.set(one, looks);
      const act = seen.get(EXECUTED);
      const later = act !== undefined && looks - act === LOOKS_LATER ? ["some time after the act"] : [];
      const told = notices.length > 0 && !seen.has(TOLD) ? [TOLD] : [];
      for (const one of told) seen.set(one, looks);
      const all = [...when, ...later, ...told, ...(isLast && incidents.length > 0 ? ["the end"] : [])];
      if (all.length > 0) await look(await stoppedAt(all.join(", ")));
      await answer(incidents, looks);
      if (looks % 50 === 0) await new Promise(setImmediate);
    }
  } finally {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  }

  async function stoppedAt(when: string): Promise<Stopped> {
    const incidents = await ledger.incidents();
    return { when, now, bundle, config, clock, sources, ledger, gate, incidents, events, notices };
  }

  async function answer(incidents: readonly Incident[], looks: number): Promise<void> {
    if (
      answers === "nobody is asked" ||
      answers === "nobody answers" ||
      looks - (seen.get(WAITS) ?? looks) !== LOOKS_LATER
    )
      return;
    for (const one of incidents) {
      const plan = waitingPlan(one, now);
      if (plan === null) continue;
      if (answers === "approve") await gate.approve(plan.id, ALICE_TOKEN, plan.hash);
      else await gate.reject(plan.id, ALICE_TOKEN, "this one has to stay");
    }
  }
}

const EXECUTED = "an act is done";
const WAITS = "a plan waits";
const TOLD = "people are told";

/** What is so of any of the incidents, in words; each is looked at when it is so first. */
function momentsOf(incidents: readonly Incident[], now: number): readonly string[] {
  const moments: Readonly<Record<string, (one: Incident) => boolean>> = {
    "the first decision": ({ timeline }) => timeline.some(({ event }) => event.startsWith("decided: ")),
    [WAITS]: (one) => waitingPlan(one, now) !== null,
    [EXECUTED]: ({ gate }) => gate?.outcome === "executed",
    "an act is judged": ({ outcome, gate }) => outcome !== null && gate !== null,
    "an incident is closed": ({ stage }) => stage === "closed",
  };
  return Object.entries(moments).flatMap(([when, isSo]) => (incidents.some(isSo) ? [when] : []));
}
