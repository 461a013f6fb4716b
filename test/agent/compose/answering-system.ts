import { composeAgent } from "../../../agent/compose/agent.ts";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import type { Config } from "../../../core/config/config.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor, Notice, Sources } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { live } from "../../core/assessment/trap.ts";
import { atS, createWorld, deploy, type Effect, type WorldOptions } from "../../core/assessment/world.ts";
import { policyOf, serviceOf } from "../../core/guardrails/rule-inputs.ts";

/** How long each rollout takes, in seconds. */
const TAKES_S = 3;

/** One deploy of a service: from when, and what share of its requests fails, or how slow it is, while it serves. */
export interface Deployed {
  readonly service: string;
  readonly fromS: number;
  readonly errors: number;
  /** How many times slower than usual; absent: not slower. */
  readonly latency?: number;
}

interface Served extends Deployed {
  readonly version: string;
  readonly own: boolean;
}

export interface SystemOptions {
  /** What people deploy, whatever unship does. */
  readonly deploys: readonly Deployed[];
  /** What people deploy once unship has taken something back for the first time, so many seconds after that is done. */
  readonly afterAct?: readonly (Omit<Deployed, "fromS"> & { readonly gapS: number })[];
  /** What an old version fails once it is put back; absent: what it failed before. */
  readonly restoredErrors?: number;
  /** What hurts beside all deploys. */
  readonly effects?: readonly Effect[];
  readonly world?: Partial<WorldOptions>;
  readonly config?: Partial<Config>;
  /** What stands between the system and the agent; absent: nothing. */
  readonly between?: {
    readonly sources: (sources: Sources) => Sources;
    readonly executor: (executor: Executor) => Executor;
  };
}

/**
 * A small live system that answers to what is done to it: each rollback that the agent executes is in effect a few
 * seconds later. Signals and changes are those of `createWorld`, one sample a second; the clock is the test's.
 */
export async function openAnsweringSystem(options: SystemOptions) {
  const base: WorldOptions = { ...live, historyS: 120, minutes: 8, ...options.world };
  const names = Object.keys(base.services);
  const served: Served[] = names.map((service) => ({
    service,
    version: "v1.0.0",
    fromS: -3600,
    errors: 0,
    own: false,
  }));
  const put = (one: Deployed) => {
    const versions = new Set(served.filter(({ service }) => service === one.service).map(({ version }) => version));
    served.push({ ...one, version: `v${versions.size + 1}.0.0`, own: false });
  };
  for (const one of options.deploys) put(one);
  const of = (service: string) => served.filter((one) => one.service === service).toSorted((a, b) => a.fromS - b.fromS);
  let nowS = 0;
  const clock = { now: () => atS(nowS) };
  const workload = (service: string) => ({ kind: "Deployment", namespace: "production", name: service });
  const changesOf = (service: string): readonly Partial<Change>[] =>
    of(service).flatMap((one, index, all) =>
      index === 0 || one.fromS > nowS
        ? []
        : [
            deploy(
              service,
              one.fromS,
              {
                id: `${service}-${index}`,
                from: all[index - 1]?.version ?? "",
                to: one.version,
                workload: workload(service),
                fromRevision: `${index}`,
                toRevision: `${index + 1}`,
                ...(nowS >= one.fromS + TAKES_S ? {} : { finishedAt: null }),
                ...(one.own ? { ownRollback: true } : {}),
              },
              TAKES_S,
            ),
          ],
    );
  const rollout = (service: string): Rollout => {
    const begun = of(service).filter(({ fromS }) => fromS <= nowS);
    const current = begun.at(-1);
    return {
      service,
      workload: workload(service),
      version: current?.version ?? "",
      revision: `${begun.length}`,
      status: nowS >= (current?.fromS ?? 0) + TAKES_S ? "complete" : "progressing",
      replicas: { desired: 2, updated: 2, ready: 2, available: 2 },
      restarts: 0,
      revisions: begun.map((one, index) => ({
        revision: `${index + 1}`,
        version: one.version,
        createdAt: atS(one.fromS),
        current: index === begun.length - 1,
      })),
      observedAt: clock.now(),
      startedAt: atS(current?.fromS ?? 0),
    };
  };
  /** The same noise whatever happens: only what is broken differs. */
  const sources = (): Sources => {
    const broken = names.flatMap((service) =>
      of(service).flatMap(({ fromS, errors, latency = 1 }, index, all): readonly Effect[] => {
        const toS = (all[index + 1]?.fromS ?? 1e6) + TAKES_S;
        return errors > 0 || latency > 1 ? [{ service, fromS: fromS + 1, toS, errors, latency }] : [];
      }),
    );
    const world = createWorld({
      ...base,
      effects: [...broken, ...(options.effects ?? [])],
      changes: names.flatMap(changesOf),
      rollouts: () => names.map(rollout),
    });
    world.now = clock.now();
    return world.sources;
  };
  let present = sources();
  const { between } = options;
  const raw: Sources = {
    ...present,
    metrics: [
      {
        name: "world",
        metrics: () => present.metrics[0]?.metrics() ?? [],
        range: async (query, abort) => (await present.metrics[0]?.range(query, abort)) ?? [],
      },
    ],
    changes: [
      { name: "world", changes: async (window, abort) => (await present.changes[0]?.changes(window, abort)) ?? [] },
    ],
    rollouts: [{ name: "world", rollouts: async (abort) => (await present.rollouts[0]?.rollouts(abort)) ?? [] }],
  };
  const asked = between?.sources(raw) ?? raw;
  const done = (target: Target): TargetResult => ({
    target,
    result: "done",
    detail: "restored",
    at: clock.now(),
    warnings: [],
  });
  const undone: { readonly changeId: string; readonly atS: number }[] = [];
  const executor: Executor = {
    action: "kubectl_rollout_undo",
    inspect: async ({ object }) => ({
      version: rollout(object.name).version,
      revision: rollout(object.name).revision,
      obstacles: [],
      warnings: [],
      capacity: { replicas: 2, less: [] },
    }),
    dryRun: async (target) => done(target),
    execute: async (target) => {
      const service = target.object.name;
      undone.push({ changeId: target.changeId, atS: nowS });
      const before = of(service).find(({ version }) => version === target.restore.version)?.errors ?? 1;
      const errors = options.restoredErrors ?? before;
      served.push({ service, version: target.restore.version, fromS: nowS, own: true, errors });
      if (undone.length === 1)
        for (const { gapS, ...one } of options.afterAct ?? []) put({ ...one, fromS: nowS + TAKES_S + gapS });
      return done(target);
    },
    reconcile: async (target) => done(target),
  };
  const ledger = await openSqliteLedger(":memory:", { clock });
  const events: WatchEvent[] = [];
  const notices: Notice[] = [];
  const { allowedActions, guardrails } = policyOf();
  const config = testConfig({
    allowedActions,
    guardrails: { ...guardrails, cooldownMs: 0 },
    services: Object.fromEntries(names.map((name) => [name, serviceOf({ namespace: "production" })])),
    watch: { stepMs: 1000 },
    ...options.config,
  });
  const { watch, gate } = composeAgent({
    version: "test",
    config,
    clock,
    sources: asked,
    executors: [between?.executor(executor) ?? executor],
    observe: async () => undefined,
    ledger,
    store: null,
    notifier: {
      notify: async (notice) => {
        notices.push(notice);
        return { delivered: true, detail: "" };
      },
    },
    emit: (event) => void events.push(event),
    postmortem: null,
  });
  const { signal } = new AbortController();
  await watch.resume(signal);
  return {
    config,
    clock,
    sources: asked,
    ledger,
    undone,
    events,
    notices,
    gate,
    /** Everything that was told, for the message of a failed expectation. */
    told: () => events.map(({ event, at, text }) => `${(at - atS(0)) / 1000} s ${event} ${text}`).join("\n"),
    incidents: async () => (await ledger.incidents()).toSorted((a, b) => a.detectedAt - b.detectedAt),
    /** Looks once a second until then. */
    async until(seconds: number) {
      for (; nowS <= seconds; nowS++) {
        present = sources();
        await watch.tick(signal);
      }
    },
    [Symbol.asyncDispose]: () => ledger.close(),
  };
}
