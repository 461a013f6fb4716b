import { describe, expect, it } from "vitest";
import { DRIFTED, driftOf, noticeDrift } from "../../../agent/watch/drift.ts";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { controllersActUntil } from "../../../agent/watch/gitops-wait.ts";
import { openIncident } from "../../../agent/watch/incident-state.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { FlagState, Rollout } from "../../../core/model/evidence.ts";
import type { Incident } from "../../../core/model/incident.ts";
import type { GateAnswer, Target } from "../../../core/model/plan.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { assessmentOf, changeOf, flagOf, MINUTE, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { caseFileOf } from "./trouble.ts";
import { openWatchWorld, STEP_MS } from "./watch-world.ts";

const gateOf = (target: Target, result: "done" | "refused" = "done"): GateAnswer => ({
  planId: "plan-1",
  outcome: "executed",
  review: { verdict: "allow", rules: [] },
  results: [{ target, result, detail: "", at: NOW, warnings: [] }],
  executedAt: NOW,
});
const rollout = (version: string, more: Partial<Rollout> = {}): Rollout => ({
  service: "checkout",
  workload: targetOf().object,
  version,
  revision: "9",
  status: "complete",
  replicas: { desired: 2, updated: 2, ready: 2, available: 2 },
  restarts: 0,
  revisions: [],
  observedAt: NOW,
  ...more,
});
const file = (over: Partial<CaseFile>): CaseFile => ({ ...caseFileOf(NOW + 20 * MINUTE, [], ["checkout"]), ...over });

describe("what was rolled back stands again", () => {
  const again = changeOf(targetOf(), { id: "again", startedAt: NOW + 10 * MINUTE, author: "auto-sync" });
  const state: FlagState = {
    key: flagOf().object.name,
    environment: flagOf().environment ?? "",
    enabled: true,
    version: "9",
    services: [],
  };

  it.each<[string, Target, Partial<CaseFile>, string | null]>([
    [
      "a version, with who brought it back and when",
      targetOf(),
      { rollouts: [rollout("v2")], changes: [again] },
      "What was rolled back is deployed again: Deployment production/checkout is at v2 again by auto-sync, 10m after it was rolled back.",
    ],
    ["a version, whoever it was", targetOf(), { rollouts: [rollout("v2")] }, "is at v2 again."],
    ["not the version that was restored", targetOf(), { rollouts: [rollout("v1")] }, null],
    ["not a newer one", targetOf(), { rollouts: [rollout("v3")] }, null],
    ["not what nobody can see", targetOf(), {}, null],
    ["a flag that is on", flagOf(), { flags: [state] }, "is on again"],
    ["not a flag that is off", flagOf(), { flags: [{ ...state, enabled: false }] }, null],
    ["not a flag of another environment", flagOf(), { flags: [{ ...state, environment: "other" }] }, null],
  ])("%s", (_, target, over, text) => {
    const found = driftOf({ gate: gateOf(target) }, file({ changes: [], ...over }));
    if (text === null) expect(found).toBeNull();
    else expect(found).toContain(text);
  });

  it("what was not done cannot come back", () => {
    expect(driftOf({ gate: gateOf(targetOf(), "refused") }, file({ rollouts: [rollout("v2")] }))).toBeNull();
  });

  it.each([
    ["told once, also after a restart, however many closed since", 20, ["is at v2 again"]],
    ["not told when its time is over", 90, []],
  ])("is %s", async (_, minutes, expected) => {
    const ledger = await openSqliteLedger(":memory:");
    const events: WatchEvent[] = [];
    const config = testConfig({ policies: [] });
    const parts = { ledger, config, emit: (event: WatchEvent) => events.push(event) } as never;
    const closed = { stage: "closed", gate: gateOf(targetOf()), closedAt: NOW, outcome: "recovered" } as const;
    await ledger.saveIncident({ ...openIncident("inc-1", assessmentOf()), ...closed });
    for (let index = 1; index <= 60; index += 1) {
      const later = { stage: "closed", closedAt: NOW + index, detectedAt: NOW + index, outcome: "no-action" } as const;
      await ledger.saveIncident({ ...openIncident(`later-${index}`, assessmentOf()), ...later });
    }
    const seen = file({ at: NOW + minutes * MINUTE, rollouts: [rollout("v2")], changes: [] });
    await noticeDrift(parts, seen);
    await noticeDrift(parts, seen);
    expect(events.map(({ text }) => text)).toEqual(expected.map((text) => expect.stringContaining(text)));
    expect(await ledger.entries({ kinds: [DRIFTED] })).toHaveLength(expected.length);
    await ledger.close();
  });
});

describe("until when a GitOps controller may undo an act", () => {
  const application: Target = { ...targetOf(), action: "argocd_sync_to_previous" };
  const managed = rollout("v1", { managedBy: "Flux Kustomization shop/checkout" });

  it.each<[string, Pick<Incident, "gate">, readonly Rollout[], number | null]>([
    ["an application that Argo CD deploys", { gate: gateOf(application) }, [], NOW + 4 * MINUTE],
    ["a workload that a controller manages", { gate: gateOf(targetOf()) }, [managed], NOW + 4 * MINUTE],
    ["one that none manages", { gate: gateOf(targetOf()) }, [rollout("v1")], null],
    ["nothing was done", { gate: gateOf(application, "refused") }, [], null],
    ["nothing was tried", { gate: null }, [managed], null],
  ])("%s", (_, incident, rollouts, until) => {
    expect(controllersActUntil(incident, { rollouts }, 4 * MINUTE)).toBe(until);
  });
});

describe("an incident whose target a GitOps controller manages", () => {
  const managed = (version: string) => rollout(version, { managedBy: "Flux Kustomization shop/checkout" });

  /** A break that is taken back at once, with the signals back at the next look. */
  async function takenBack() {
    const live = { version: "v2" };
    const world = await openWatchWorld();
    const { gather } = world;
    world.gather = async (now) => {
      const file = await gather(now);
      return { ...file, rollouts: [{ ...managed(live.version), observedAt: now }] };
    };
    world.troubles = [world.trouble()];
    await world.step();
    live.version = "v1";
    world.troubles = [];
    world.recovery = "recovered";
    return { world, live };
  }
  const STEPS_A_MINUTE = MINUTE / STEP_MS;

  it("counts as recovered only after the controller had its time to undo the act, and says that it waits", async () => {
    const { world } = await takenBack();
    await using _ = world;
    await world.step(3 * STEPS_A_MINUTE);
    const waiting = await world.incident();
    expect(waiting).toMatchObject({ stage: "verifying", recovery: { verdict: "pending" } });
    expect(waiting.timeline.filter(({ event }) => event === "waiting for the GitOps controller")).toHaveLength(1);
    await world.step(2 * STEPS_A_MINUTE);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
  });

  it("a verdict that it did not recover is not held back by that wait", async () => {
    const { world, live } = await takenBack();
    await using _ = world;
    await world.step(STEPS_A_MINUTE);
    live.version = "v2";
    world.recovery = "not-recovered";
    await world.step(2 * STEPS_A_MINUTE);
    expect(await world.incident()).toMatchObject({ outcome: "not-recovered" });
  });

  it("people hear of it when the bad version stands again later, once", async () => {
    const { world, live } = await takenBack();
    await using _ = world;
    await world.step(6 * STEPS_A_MINUTE);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
    live.version = "v2";
    await world.step(5 * STEPS_A_MINUTE);
    const drifted = world.texts("incident.escalated").filter((text) => text.startsWith("What was rolled back"));
    expect(drifted).toEqual([expect.stringContaining("checkout is at v2 again")]);
  });
});
