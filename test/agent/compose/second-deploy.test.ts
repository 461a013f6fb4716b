import { describe, expect, it } from "vitest";
import { composeAgent } from "../../../agent/compose/agent.ts";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor, Sources } from "../../../core/ports.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { live } from "../../core/assessment/trap.ts";
import { atS, createWorld, deploy, type Effect } from "../../core/assessment/world.ts";
import { policyOf, serviceOf } from "../../core/guardrails/rule-inputs.ts";

const WORKLOAD = { kind: "Deployment", namespace: "production", name: "stock" };
const TAKES_S = 3;

/** One version after the other on one workload, with what each breaks while it serves. Times in seconds. */
interface Served {
  readonly version: string;
  readonly fromS: number;
  readonly own: boolean;
  readonly errors: number;
}

/**
 * A small live system that answers to what is done to it: each rollback that the agent executes is in effect a few
 * seconds later, and `next` is deployed so many seconds after the first. The clock is the test's.
 */
async function openSystem(next: { readonly gapS: number; readonly errors: number }) {
  const served: Served[] = [
    { version: "v1.0.0", fromS: -3600, own: false, errors: 0 },
    { version: "v2.0.0", fromS: 20, own: false, errors: 0.4 },
  ];
  let nowS = 0;
  const clock = { now: () => atS(nowS) };
  const changeOf = (one: Served, index: number): Partial<Change> =>
    deploy(
      "stock",
      one.fromS,
      {
        id: `stock-${index}`,
        from: served[index - 1]?.version ?? "",
        to: one.version,
        workload: WORKLOAD,
        fromRevision: `${index}`,
        toRevision: `${index + 1}`,
        ...(nowS >= one.fromS + TAKES_S ? {} : { finishedAt: null }),
        ...(one.own ? { ownRollback: true } : {}),
      },
      TAKES_S,
    );
  const rollout = (): Rollout => {
    const begun = served.filter(({ fromS }) => fromS <= nowS);
    const current = begun.at(-1) ?? served[0];
    return {
      service: "stock",
      workload: WORKLOAD,
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
    const effects = served.flatMap(({ fromS, errors }, index): readonly Effect[] => {
      const toS = (served[index + 1]?.fromS ?? 1e6) + TAKES_S;
      return errors > 0 ? [{ service: "stock", fromS: fromS + 1, toS, errors }] : [];
    });
    const changes = served.map(changeOf).filter((_, index) => index > 0);
    const begun = changes.filter(({ startedAt = 0 }) => startedAt <= clock.now());
    const world = createWorld({
      ...live,
      historyS: 120,
      minutes: 5,
      effects,
      changes: begun,
      rollouts: () => [rollout()],
    });
    world.now = clock.now();
    return world.sources;
  };
  let present = sources();
  const range: Sources["metrics"][number]["range"] = async (query, abort) =>
    (await present.metrics[0]?.range(query, abort)) ?? [];
  const asked: Sources = {
    ...present,
    metrics: [{ name: "world", metrics: () => present.metrics[0]?.metrics() ?? [], range }],
    changes: [
      { name: "world", changes: async (window, abort) => (await present.changes[0]?.changes(window, abort)) ?? [] },
    ],
    rollouts: [{ name: "world", rollouts: async (abort) => (await present.rollouts[0]?.rollouts(abort)) ?? [] }],
  };
  const done = (target: Target): TargetResult => ({
    target,
    result: "done",
    detail: "restored",
    at: clock.now(),
    warnings: [],
  });
  const undone: string[] = [];
  const executor: Executor = {
    action: "kubectl_rollout_undo",
    inspect: async () => ({
      version: rollout().version,
      revision: rollout().revision,
      obstacles: [],
      warnings: [],
      capacity: { replicas: 2, less: [] },
    }),
    dryRun: async (target) => done(target),
    execute: async (target) => {
      undone.push(target.changeId);
      const good = served.find(({ version }) => version === target.restore.version)?.errors ?? 1;
      served.push({ version: target.restore.version, fromS: nowS, own: true, errors: good });
      if (undone.length === 1)
        served.push({ version: "v3.0.0", fromS: nowS + TAKES_S + next.gapS, own: false, errors: next.errors });
      return done(target);
    },
    reconcile: async (target) => done(target),
  };
  const ledger = await openSqliteLedger(":memory:", { clock });
  const events: WatchEvent[] = [];
  const { allowedActions, guardrails } = policyOf();
  const { watch } = composeAgent({
    version: "test",
    config: testConfig({
      allowedActions,
      guardrails: { ...guardrails, cooldownMs: 0 },
      services: { stock: serviceOf({ namespace: "production" }) },
      watch: { stepMs: 1000 },
    }),
    clock,
    sources: asked,
    executors: [executor],
    observe: async () => undefined,
    ledger,
    store: null,
    notifier: { notify: async () => ({ delivered: true, detail: "" }) },
    emit: (event) => void events.push(event),
    postmortem: null,
  });
  const { signal } = new AbortController();
  await watch.resume(signal);
  return {
    undone,
    events,
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

describe("a deploy close behind a rollback, from signals to verification", () => {
  it.each([0, 2, 8])(
    "a bad one %i s after it ends the first verification and is taken back in its turn",
    async (gapS) => {
      await using system = await openSystem({ gapS, errors: 0.4 });
      await system.until(150);
      const incidents = await system.incidents();
      const told = system.events.map(({ event, text }) => `${event} ${text}`).join("\n");
      expect(
        incidents.map(({ outcome }) => outcome),
        told,
      ).toEqual(["superseded", "recovered"]);
      expect(system.undone, told).toEqual(["stock-1", "stock-3"]);
      expect(incidents[1]?.plan?.targets[0]?.restore.version).toBe("v1.0.0");
    },
    60_000,
  );

  it("a good one is not touched, and opens nothing", async () => {
    await using system = await openSystem({ gapS: 1, errors: 0 });
    await system.until(100);
    const told = system.events.map(({ event, text }) => `${event} ${text}`).join("\n");
    expect(
      (await system.incidents()).map(({ outcome }) => outcome),
      told,
    ).toEqual(["superseded"]);
    expect(system.undone).toEqual(["stock-1"]);
  }, 60_000);
});
