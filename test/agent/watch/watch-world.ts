import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import type { WatchParts } from "../../../agent/watch/ports.ts";
import { createWatch, type Watch } from "../../../agent/watch/watch.ts";
import type { Config } from "../../../core/config/config.ts";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import type { CaseFile, Gap } from "../../../core/model/assessment.ts";
import type { Incident, Recovery } from "../../../core/model/incident.ts";
import type { Target } from "../../../core/model/plan.ts";
import type { Gate, Ledger, Notice, Notifier } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { createGate } from "../../../mcp-tools/gate/gate.ts";
import type { GateLimits } from "../../../mcp-tools/gate/parts.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { NOW, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { FakeTargets } from "../../fakes/fake-executor.ts";
import { APPROVERS } from "../../mcp-tools/gate/gate-world.ts";
import { assessmentOf, caseFileOf, type Trouble, troubleOf } from "./trouble.ts";

export const STEP_MS = 15_000;
export const MESSAGE = "Rollback did not resolve the issue.";

export const FEEDBACK: Config["feedback"] = {
  verifyRecovered: true,
  timeoutMs: 600_000,
  gitOpsWaitMs: 240_000,
  driftWatchMs: 3_600_000,
  ifNotRecovered: { action: "escalate_to_human", message: MESSAGE },
  logOutcome: { store: "incidents", include: [] },
  postmortemDraft: true,
};

/** A watch over a real ledger, the real gate and conditional targets; the system that it looks at is scripted. */
export interface WatchWorld extends AsyncDisposable {
  readonly folder: string;
  readonly ledgerPath: string;
  readonly store: Ledger & GateStore;
  readonly targets: FakeTargets;
  readonly time: { now: number };
  readonly events: WatchEvent[];
  readonly notices: Notice[];
  readonly remembered: Incident[];
  readonly drafted: string[];
  /** What is wrong now; tests replace it. */
  troubles: readonly Trouble[];
  gaps: readonly Gap[];
  recovery: Recovery["verdict"];
  watch: Watch;
  gate: Gate;
  /** Turns the clock by whole steps, with a tick at each. */
  step(count?: number): Promise<void>;
  /** A new watch and a new gate over the same ledger, as a restart makes them. */
  restart(parts?: Partial<WatchParts>): Promise<void>;
  trouble(change?: Partial<Trouble>, target?: Target): Trouble;
  /** What the sources and the core say as the script stands; for parts that a test wraps. */
  gather(now: number): Promise<CaseFile>;
  assess: WatchParts["assess"];
  incident(): Promise<Incident>;
  incidents(): Promise<readonly Incident[]>;
  texts(event: WatchEvent["event"]): readonly string[];
  kinds(): Promise<readonly string[]>;
}

export interface WorldOptions {
  readonly config?: Partial<Config>;
  readonly parts?: Partial<WatchParts>;
  readonly onDisk?: boolean;
  /** Through what people are notified; absent: `notices` keeps them. */
  readonly notifier?: Notifier;
  /** Whether the gate notifies of each act, as that of a daemon does and that of a replay does not. */
  readonly notifiesActs?: boolean;
  readonly gateLimits?: Partial<GateLimits>;
  /** What watch and gate use of the ledger; absent: all of it, as it is. */
  readonly ledgerOf?: (store: Ledger & GateStore) => Ledger & GateStore;
  /** When the world's clock starts; where another process looks at its ledger, that process's present. */
  readonly startAt?: number;
}

export async function openWatchWorld(options: WorldOptions = {}): Promise<WatchWorld> {
  const folder = mkdtempSync(join(tmpdir(), "unship-watch-"));
  const time = { now: options.startAt ?? NOW };
  const clock = { now: () => time.now };
  const ledgerPath = options.onDisk === true ? join(folder, "ledger.db") : ":memory:";
  const store = await openSqliteLedger(ledgerPath, { clock });
  const targets = new FakeTargets(join(folder, "targets.db"));
  const config = configOf(options.config);
  const notices: Notice[] = [];
  const events: WatchEvent[] = [];
  const remembered: Incident[] = [];
  const drafted: string[] = [];
  const used = options.ledgerOf?.(store) ?? store;
  const notifier = options.notifier ?? {
    notify: async (notice: Notice) => {
      notices.push(notice);
      return { delivered: true, detail: "kept" };
    },
  };
  const caseFile = () => caseFileOf(time.now, world.troubles, ["checkout", "cart", "search"]);
  let ids = 0;
  const newGate = () =>
    createGate({
      config,
      store: used,
      notifiesActs: options.notifiesActs ?? false,
      executors: [targets.executor("kubectl_rollout_undo"), targets.executor("feature_flag_disable")],
      assess: async (services) => assessmentOf(caseFile(), world.troubles, services),
      clock,
      notifier,
      newId: () => `plan-${++ids}`,
      owner: { id: `process-${ids}-${events.length}`, gone: () => true },
      limits: { reconcileDelaysMs: [0], executeTimeoutMs: 300, ...options.gateLimits },
    });
  const newWatch = (gate: Gate, parts: Partial<WatchParts> = {}) =>
    createWatch({
      config,
      clock,
      ledger: used,
      gate,
      notifier,
      store: {
        remember: async (incident) => void remembered.push(incident),
        recall: async () => [],
        rebuild: async () => undefined,
        close: async () => undefined,
      },
      emit: (event) => void events.push(event),
      look: async () => {
        const { findings, conditions } = caseFile();
        return { findings, conditions, gaps: world.gaps };
      },
      gather: (now) => world.gather(now),
      present: (file, focus) => assessmentOf(file, world.troubles, focus),
      assess: (file, focus) => world.assess(file, focus),
      episodes: () => world.troubles.filter(({ worse }) => worse).map(({ services }) => services),
      reason: async () => ({
        decision: null,
        agrees: true,
        summary: "the chain says the same",
        body: { steps: [] },
        usage: { inputTokens: 1, outputTokens: 1, toolCalls: 6 },
        questions: [],
      }),
      recovery: async () => ({ verdict: world.recovery, at: time.now, checks: [] }),
      postmortem: async ({ id }) => {
        drafted.push(id);
        return `/drafts/${id}.md`;
      },
      incidentId: (at, services) => `inc-${services.join("+")}-${at - NOW}`,
      ...options.parts,
      ...parts,
    });
  const gate = newGate();
  const world: WatchWorld = {
    folder,
    ledgerPath,
    store,
    targets,
    time,
    events,
    notices,
    remembered,
    drafted,
    troubles: [],
    gaps: [],
    recovery: "pending",
    gate,
    watch: newWatch(gate),
    async step(count = 1) {
      for (let index = 0; index < count; index += 1) {
        time.now += STEP_MS;
        await world.watch.tick(new AbortController().signal);
      }
    },
    async restart(parts = {}) {
      world.gate = newGate();
      world.watch = newWatch(world.gate, parts);
      await world.watch.resume(new AbortController().signal);
    },
    trouble: (change = {}, target = targetOf()) => troubleOf(target, time.now - 60_000, change),
    gather: async () => caseFile(),
    assess: (file, focus) => assessmentOf(file, world.troubles, focus ?? []),
    async incident() {
      const [only, ...more] = await store.incidents();
      if (only === undefined || more.length > 0) throw new Error(`${more.length + 1} incidents, not one`);
      return only;
    },
    incidents: async () => [...(await store.incidents())].reverse(),
    texts: (event) => events.filter((one) => one.event === event).map(({ text }) => text),
    kinds: async () => (await store.entries()).map(({ kind }) => kind),
    async [Symbol.asyncDispose]() {
      await store.close();
      targets[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  targets.place(targetOf());
  return world;
}

function configOf(change: Partial<Config> = {}): Config {
  const { policies, allowedActions, guardrails } = policyOf();
  return testConfig({
    policies,
    chain: [],
    allowedActions,
    guardrails,
    approvers: APPROVERS,
    watch: { stepMs: STEP_MS },
    feedback: FEEDBACK,
    ...change,
  });
}
