import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Kysely } from "kysely";
import pg from "pg";
import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Plan, Target } from "../../core/model/plan.ts";
import { nodeSqliteDialect, openDatabase } from "../../knowledge/ledger/node-sqlite.ts";
import { openPostgresLedger } from "../../knowledge/ledger/postgres.ts";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";
import { GATE_LIMITS, type GateParts, planHash } from "../../mcp-tools/gate/parts.ts";
import { entry, reserve } from "../../mcp-tools/gate/reserve.ts";
import { closeRest } from "../../mcp-tools/gate/run.ts";

export interface ReservationOptions {
  /** The URL of an empty PostgreSQL ledger; absent: a SQLite file. */
  readonly url?: string;
  /** Processes at one file at the same time. Default 4. */
  readonly processes?: number;
  /** Reservations, and bare inserts, that each process makes a round. Default 50. */
  readonly each?: number;
  /** Rounds of both kinds in turn, so that a busy moment of the machine falls on both. Default 5. */
  readonly rounds?: number;
}

export interface Quantiles {
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface ReservationFigures {
  readonly processes: number;
  /** One insert; on SQLite with the database's own wait for the lock. */
  readonly bare: Quantiles;
  /** The same insert with the ledger's wait for its turn; null on PostgreSQL, where no insert waits for another. */
  readonly patient: Quantiles | null;
  readonly reservation: Quantiles;
  /** Of the 99th percentiles, beside the quicker of the two inserts; the claim is at most 3. */
  readonly ratio: number;
  readonly met: boolean;
}

/** Runs of each process before its times count: a watch that acts has been up for longer than its first statement. */
const WARM_UP = 10;
/** The gate may cost three times what any durable write under the same contention costs. */
const MOST = 3;

/**
 * How long the gate's reservation takes (every rule judged, entry, permit, intent, reserved entry, one commit) beside
 * one bare durable insert, both with an fsync a commit, by the same number of processes at one store. The time
 * includes the wait for the turn. All processes begin at one word and none stops before the last has measured enough,
 * so that inserts and reservations meet the same crowd, and nothing but what is measured competes with it.
 * Throws where a reservation was not permitted: then nothing was measured.
 */
export async function benchReservation(options: ReservationOptions = {}): Promise<ReservationFigures> {
  const { processes = 4, each = 50, rounds = 5, url } = options;
  const kinds = url === undefined ? KINDS : (["bare", "reservation"] as const);
  const folder = mkdtempSync(join(tmpdir(), "unship-bench-"));
  try {
    const made = { folder, ...(url === undefined ? {} : { url }) };
    await (await openLedger(made)).close();
    if (url === undefined) openBare(folder).close();
    else await onServer(url, (client) => client.query("create table if not exists bare (body text not null)"));
    const times: Record<Kind, number[]> = { bare: [], patient: [], reservation: [] };
    for (let round = 0; round < rounds; round++)
      for (const kind of kinds) {
        const tasks = Array.from({ length: processes }, (_, place) => ({
          kind,
          ...made,
          each,
          name: `${round}-${place}`,
        }));
        times[kind].push(...(await workTogether(tasks)));
      }
    const bare = quantiles(times.bare);
    const patient = url === undefined ? quantiles(times.patient) : null;
    const reservation = quantiles(times.reservation);
    const ratio = reservation.p99 / Math.min(bare.p99, patient?.p99 ?? bare.p99);
    return { processes, bare, patient, reservation, ratio, met: ratio <= MOST };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const KINDS = ["bare", "patient", "reservation"] as const;
type Kind = (typeof KINDS)[number];
interface Task {
  readonly kind: Kind;
  readonly folder: string;
  readonly url?: string;
  readonly each: number;
  readonly name: string;
}

/** One process for each task, all measuring at the same time; their times, ms. */
async function workTogether(tasks: readonly Task[]): Promise<readonly number[]> {
  const workers = tasks.map(startWorker);
  try {
    await Promise.all(workers.map(({ ready }) => ready));
    for (const { tell } of workers) tell("go");
    const times = await Promise.all(workers.map((worker) => worker.times));
    return times.flat();
  } finally {
    for (const { tell } of workers) tell("stop");
    await Promise.all(workers.map(({ ended }) => ended));
  }
}

function startWorker(task: Task) {
  const child = fork(import.meta.filename, [JSON.stringify(task)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ready = Promise.withResolvers<void>();
  const times = Promise.withResolvers<readonly number[]>();
  const ended = once(child, "exit").then(([code]) => {
    const early = new Error(`a process of the benchmark ended with ${code}`);
    ready.reject(early);
    times.reject(early);
  });
  times.promise.catch(() => undefined);
  child.on("message", (message) => {
    if (message === "ready") ready.resolve();
    else times.resolve(message as readonly number[]);
  });
  const tell = (word: "go" | "stop") => {
    // One that is done already needs no word.
    if (child.connected) child.send(word, () => undefined);
  };
  return { ready: ready.promise, times: times.promise, ended, tell };
}

/** One kind of work, made ready: `once` is what is timed; the number tells the calls apart. */
interface Doing {
  once(turn: number): unknown;
  close(): unknown;
}

/** The worker's side: warm up, wait for the others, measure, and keep the others company until all have measured. */
async function measure({ each }: Task, doing: Doing): Promise<void> {
  let stopped = false;
  const go = Promise.withResolvers<void>();
  process.on("message", (word) => {
    if (word === "go") go.resolve();
    stopped ||= word === "stop";
  });
  for (let turn = 0; turn < WARM_UP; turn++) await doing.once(turn);
  process.send?.("ready");
  await go.promise;
  const times: number[] = [];
  for (let turn = 0; turn < turnsOf(each) - WARM_UP && !stopped; turn++) {
    const began = performance.now();
    await doing.once(WARM_UP + turn);
    times.push(performance.now() - began);
    if (times.length === each) process.send?.(times);
    // Lets the word of the others in; the same for every kind of work.
    await setImmediate();
  }
  await doing.close();
  process.disconnect();
}

/** A process that is done goes on for as long again at most. */
const turnsOf = (each: number) => WARM_UP + 2 * each;

/** The text of the bare insert is as long as a typical entry of the ledger. */
const ENTRY_BYTES = 600;

function openBare(folder: string): DatabaseSync {
  const database = new DatabaseSync(join(folder, "bare.db"), { timeout: 15_000 });
  database.exec("pragma journal_mode = wal; pragma synchronous = full");
  database.exec("create table if not exists entries (seq integer primary key, body text not null)");
  return database;
}

const openLedger = ({ folder, url }: Pick<Task, "folder" | "url">) =>
  url === undefined ? openSqliteLedger(join(folder, "ledger.db")) : openPostgresLedger(url);

async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function insertOnServer(url: string): Promise<Doing> {
  const client = new pg.Client(url);
  await client.connect();
  const body = "x".repeat(ENTRY_BYTES);
  const insert = { name: "insert", text: "insert into bare (body) values ($1)", values: [body] };
  return { once: () => client.query(insert), close: () => client.end() };
}

function insertBare({ folder, url }: Task): Doing | Promise<Doing> {
  if (url !== undefined) return insertOnServer(url);
  const database = openBare(folder);
  const insert = database.prepare("insert into entries (body) values (?)");
  return { once: () => insert.run("x".repeat(ENTRY_BYTES)), close: () => database.close() };
}

async function insertPatiently({ folder }: Task): Promise<Doing> {
  const path = join(folder, "bare.db");
  const database = new Kysely<{ entries: { readonly body: string } }>({
    dialect: nodeSqliteDialect(await openDatabase(path), path),
  });
  const body = "x".repeat(ENTRY_BYTES);
  return {
    once: () => database.transaction().execute((tx) => tx.insertInto("entries").values({ body }).execute()),
    close: () => database.destroy(),
  };
}

async function reserveEach({ each, name, ...where }: Task): Promise<Doing> {
  const store = await openLedger(where);
  const clock = { now: () => Date.now() };
  let made = 0;
  const parts = {
    config: CONFIG,
    store,
    clock,
    executors: [],
    newId: () => `permit-${name}-${made++}`,
    ownerId: name,
    // A reservation asks nobody: what it judges by was gathered before.
    assess: () => Promise.reject(new Error("not asked")),
    notifier: { notify: async () => ({ delivered: false, detail: "none" }) },
  };
  const plans = Array.from({ length: turnsOf(each) }, (_, turn) => planOf(`${name}-${turn}`));
  await store.transact(async (tx) => {
    for (const plan of plans) {
      await tx.savePlan(plan);
      await tx.append(entry(plan, LEDGER_KINDS.planProposed, plan));
    }
  });
  return {
    async once(turn) {
      const plan = plans[turn];
      if (plan === undefined) throw new Error("the benchmark has no plan left");
      const targets = plan.targets.map((target) => {
        const state = { ...target.expected, obstacles: [], warnings: [], capacity: { replicas: 3, less: [] } };
        return { target, state, problem: null, executable: true };
      });
      const gathered = { assessment: assessmentOf(plan, clock.now()), targets };
      const kind = await store.transact(async (tx) => {
        const reservation = await reserve(tx, plan, gathered, parts, GATE_LIMITS);
        // A reserved unit counts for a day: without an end each reservation would read all those before it. More than a
        // reservation makes, and in the same transaction, so that no other one competes with what is measured.
        const review = { verdict: "allow" as const, rules: [] };
        await closeRest(tx, "the benchmark", { plan, review, parts, limits: GATE_LIMITS, found: new Map() });
        return reservation.kind;
      });
      if (kind !== "reserved") throw new Error("the benchmark's plan was not permitted");
    },
    close: () => store.close(),
  };
}

export const CONFIG: GateParts["config"] = {
  mode: "auto",
  policies: [{ name: "auto_rollback", conditions: [], action: "rollback_immediate", notification: [] }],
  chain: [],
  allowedActions: [
    {
      type: "kubectl_rollout_undo",
      namespaces: ["production"],
      applications: null,
      environments: null,
      requireApproval: false,
      maxRollbacksPerHour: 1_000_000,
    },
  ],
  guardrails: {
    maxAutoRollbacksPerDay: 1_000_000,
    cooldownMs: 600_000,
    cooldownScope: "service",
    escalateToHumanAfter: 2,
    neverAutoRollback: ["billing-service"],
  },
  blastRadius: { services: 3, trafficShare: null, replicas: null },
  evidenceKinds: 1,
  freezeWindows: [],
  services: {},
  approvers: [],
  approval: { twoPersons: [], remindAfterMs: 300_000, escalate: [], tokenFile: "other_user" },
};

export function planOf(name: string): Plan {
  const service = `service-${name}`;
  const target: Target = {
    action: "kubectl_rollout_undo",
    service,
    changeId: `deploy:production/${service}:2`,
    object: { kind: "Deployment", namespace: "production", name: service },
    expected: { version: "v1.1.0", revision: "2" },
    restore: { version: "v1.0.0", revision: "1" },
  };
  const content = { incidentId: `incident-${name}`, targets: [target] };
  const [createdAt, reason] = [Date.now(), "errors rose right after the deploy"];
  const expiresAt = createdAt + GATE_LIMITS.planLifetimeMs;
  return { id: `plan-${name}`, hash: planHash(content), ...content, reason, proposedBy: "bench", createdAt, expiresAt };
}

/** What the gate would have found: this plan is the fresh decision, and an automatic condition fires. */
export function assessmentOf({ targets }: Plan, at: number): Assessment {
  const [{ service, changeId, object, expected, restore }] = targets as unknown as readonly [Target];
  const since = at - 240_000;
  return {
    at,
    services: [service],
    findings: [],
    conditions: [
      {
        policy: "auto_rollback",
        condition: 0,
        text: "error_rate > 0.05 for 3m",
        service,
        metric: "error_rate",
        state: "firing",
        since,
        firesAt: null,
        value: 0.3,
        because: "0.3 for 4m",
      },
    ],
    changes: [
      {
        id: changeId,
        kind: "deploy",
        service,
        from: restore.version,
        to: expected.version,
        startedAt: since - 60_000,
        finishedAt: since - 30_000,
        source: "kubernetes",
        reversible: true,
        workload: object,
      },
    ],
    answers: {},
    decision: {
      action: "rollback",
      service,
      culprit: { changeId, probability: 0.97 },
      changeIds: [changeId],
      automatic: true,
      needsPerson: [],
      why: ["errors rose right after the deploy"],
      hotfix: null,
      decidedAt: at,
    },
    targets,
    obstacles: [],
    baselines: [],
    unverified: [],
    unheard: [],
  };
}

function quantiles(times: readonly number[]): Quantiles {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) };
}

const [, main, argument] = process.argv;
if (main === import.meta.filename && argument !== undefined) {
  const task = JSON.parse(argument) as Task;
  const doing = { bare: insertBare, patient: insertPatiently, reservation: reserveEach };
  await measure(task, await doing[task.kind](task));
}
