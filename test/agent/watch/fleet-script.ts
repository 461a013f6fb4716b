import fc from "fast-check";
import type { WatchParts } from "../../../agent/watch/ports.ts";
import type { Incident, Recovery } from "../../../core/model/incident.ts";
import type { Target } from "../../../core/model/plan.ts";
import { changeOf, MINUTE, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import type { Trouble } from "./trouble.ts";
import { FEEDBACK, openWatchWorld, STEP_MS, type WatchWorld, type WorldOptions } from "./watch-world.ts";

/** What happens to one service before an evaluation. */
export type Move =
  | { readonly kind: "degrade"; readonly as: keyof typeof KINDS }
  | { readonly kind: "recover" }
  | { readonly kind: "silence" }
  | { readonly kind: "deploy" }
  | { readonly kind: "reject" }
  | { readonly kind: "approve" }
  | { readonly kind: "unreachable"; readonly is: boolean };

/** One stretch of a script: what is done to which service, whether the watch is started anew, and how long nothing is. */
export interface Beat {
  readonly service: string;
  readonly move: Move;
  readonly restart: boolean;
  readonly steps: number;
}

/** How a service can be degraded, and what the core says of it. */
const KINDS = {
  automatic: {},
  "for a person": { policy: "human_review", needsPerson: ["no automatic condition holds"] },
  pending: { condition: "pending", firesAt: Number.MAX_SAFE_INTEGER },
  transient: { action: "no_action", condition: "none", culprit: null, noChangeProbability: 0.9, targets: [] },
  "for a hotfix": { action: "hotfix_recommendation", needsPerson: ["it is a migration"] },
} as const satisfies Record<string, Partial<Trouble>>;

export const moves = (kinds: readonly (keyof typeof KINDS)[]): fc.Arbitrary<Move> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...kinds).map((as): Move => ({ kind: "degrade", as })) },
    { weight: 3, arbitrary: fc.constant<Move>({ kind: "recover" }) },
    { weight: 1, arbitrary: fc.constant<Move>({ kind: "silence" }) },
    { weight: 3, arbitrary: fc.constant<Move>({ kind: "deploy" }) },
    { weight: 2, arbitrary: fc.constant<Move>({ kind: "reject" }) },
    { weight: 2, arbitrary: fc.constant<Move>({ kind: "approve" }) },
    { weight: 1, arbitrary: fc.boolean().map((is): Move => ({ kind: "unreachable", is })) },
  );

export const allKinds = Object.keys(KINDS) as readonly (keyof typeof KINDS)[];

export const scriptOf = (services: readonly string[], kinds = allKinds): fc.Arbitrary<readonly Beat[]> =>
  fc.array(
    fc.record({
      service: fc.constantFrom(...services),
      move: moves(kinds),
      restart: fc.boolean(),
      steps: fc.constantFrom(1, 2, 4, 12, 45),
    }),
    { minLength: 2, maxLength: 12 },
  );

interface Life {
  /** How often it was deployed: its version is that number. */
  version: number;
  trouble: Trouble | null;
}

/** Limits that are common to all of them do not bind. */
export const UNBOUND: WorldOptions["config"] = {
  allowedActions: policyOf().allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: null })),
  guardrails: { ...policyOf().guardrails, maxAutoRollbacksPerDay: null },
};

/** A world of several services that nothing joins, and what a script does to each of them. */
export interface Fleet extends AsyncDisposable {
  readonly world: WatchWorld;
  play(beat: Beat): Promise<void>;
  /** Only turns the clock, as a beat that is somebody else's does. */
  pass(beat: Beat): Promise<void>;
}

const targetAt = (service: string, version: number): Target =>
  targetOf({
    name: service,
    changeId: `deploy-${service}-${version}`,
    expected: { version: `v${version}`, revision: String(version) },
    restore: { version: `v${version - 1}`, revision: String(version - 1) },
  });

export async function openFleet(services: readonly string[], options: WorldOptions = {}): Promise<Fleet> {
  const lives = new Map<string, Life>(services.map((name) => [name, { version: 2, trouble: null }]));
  const deploys: { readonly target: Target; readonly at: number }[] = [];
  const world = await openWatchWorld({ ...options, config: { ...UNBOUND, ...options.config } });
  // A rollback helps unless its service stays degraded for as long as a recovery may take.
  const recovery = async (incident: Incident, { at: now }: { readonly at: number }): Promise<Recovery> => {
    const isBad = incident.gate?.results.some(({ target }) => lives.get(target.service)?.trouble != null) ?? false;
    const isOver = now >= (incident.gate?.executedAt ?? 0) + FEEDBACK.timeoutMs;
    const verdict = isBad ? (isOver ? "not-recovered" : "pending") : "recovered";
    return { verdict, at: verdict === "pending" ? null : now, checks: [] };
  };
  const parts: Partial<WatchParts> = { recovery, ...options.parts };
  const scripted = world.gather;
  world.gather = async (now) => {
    const file = await scripted(now);
    const changes = deploys.map(({ target, at }) => changeOf(target, { startedAt: at, finishedAt: at + 10_000 }));
    return { ...file, changes };
  };
  await world.restart(parts);
  const deploy = (service: string, life: Life, at: number) => {
    const target = targetAt(service, life.version);
    world.targets.place(target);
    deploys.push({ target, at });
  };
  for (const [service, life] of lives) deploy(service, life, world.time.now - 2 * MINUTE);

  async function move(service: string, one: Move): Promise<void> {
    const life = lives.get(service);
    if (life === undefined) return;
    const target = targetAt(service, life.version);
    const own = world.watch.open().findLast((incident) => incident.service === service && incident.plan !== null);
    switch (one.kind) {
      case "degrade":
        life.trouble = { ...world.trouble({ since: world.time.now - STEP_MS }, target), ...KINDS[one.as] };
        break;
      case "recover":
        life.trouble = null;
        break;
      case "silence":
        if (life.trouble !== null) life.trouble = { ...life.trouble, condition: "silent" };
        break;
      case "deploy":
        life.version += 1;
        deploy(service, life, world.time.now);
        break;
      case "reject":
        if (own?.plan != null)
          await world.gate.reject(own.plan.id, ALICE_TOKEN, "it is innocent").catch(() => undefined);
        break;
      case "approve":
        if (own?.plan != null) await world.gate.approve(own.plan.id, ALICE_TOKEN).catch(() => undefined);
        break;
      case "unreachable":
        world.targets.mark(target, { behaviour: one.is ? "unreachable" : null });
        break;
    }
    world.troubles = [...lives.values()].flatMap(({ trouble }) => trouble ?? []);
  }

  const pass = async ({ restart, steps }: Beat): Promise<void> => {
    if (restart) await world.restart(parts);
    await world.step(steps);
  };
  return {
    world,
    pass,
    async play(beat) {
      await move(beat.service, beat.move);
      await pass(beat);
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** What became of one service, without the names of plans, which count all plans there are. */
export async function fateOf(service: string, { world }: Fleet): Promise<unknown> {
  const named = (text: string) => text.replaceAll(/plan-\d+/g, "plan");
  const incidents = (await world.incidents()).filter((one) => one.service === service);
  return {
    incidents: incidents.map((one) => ({
      id: one.id,
      stage: one.stage,
      outcome: one.outcome,
      closedAt: one.closedAt,
      onset: one.onset,
      services: [...one.affectedServices, ...(one.trouble ?? [])],
      decision: one.decision && [one.decision.action, one.decision.changeIds],
      plan: one.plan?.targets,
      results: one.gate && [one.gate.outcome, one.gate.results.map(({ result }) => result)],
      timeline: one.timeline.map(({ at, event, detail }) => [at, event, named(detail)]),
    })),
    writes: world.targets.writes().flatMap(({ object, version }) => (object.endsWith(`/${service}`) ? [version] : [])),
    told: world.events.flatMap(({ at, event, text, incident }) =>
      incident?.service === service ? [[at, event, named(text)]] : [],
    ),
  };
}
