import { setTimeout as wait } from "node:timers/promises";
import type { WatchLine } from "../../../evals/demo/watch-process.ts";
import type { Behaviour } from "../../../evals/real-kubernetes/shop/images.ts";
import { type Fleet, NAMESPACE } from "./fleet.ts";
import { persist } from "./workloads.ts";

/** What became of one trouble, or of one innocent change. */
export interface Entry {
  readonly kind: string;
  readonly service: string;
  readonly at: number;
  /** One line for the report. */
  readonly happened: string;
  /** What should have been otherwise; empty: all is right. */
  readonly wrong: readonly string[];
  /** It was bad and was not undone: a plan for exactly that was held, and people were asked. */
  readonly asked?: string;
  /** The act of unship's that this entry accounts for. */
  readonly act: number | null;
}

/** Long enough for the slowest policy, the rollout and a hung API server; what is not done by then is missed. */
export const UNDO_PATIENCE_MS = 100_000;
const POLL_MS = 250;
/** A person is quicker than every policy of the fleet. */
const PERSON_MS = 4000;

/** What is wrong with a version, in words and as its pods do it. */
export const BAD = {
  errors: { errorShare: 0.35 },
  slow: { latencySeconds: 2.6 },
  neverReady: { fate: "neverReady" },
  crashes: { fate: "crashes" },
} as const satisfies Record<string, Partial<Behaviour>>;
export type BadKind = keyof typeof BAD;

/** Deploys a bad version and follows it until it is undone; then its twin is undone by kubectl, and both are compared. */
export async function badDeploy(
  fleet: Fleet,
  service: string,
  bad: BadKind,
  options: { readonly kind?: string; readonly by?: "apply" } = {},
): Promise<Entry> {
  const { workload } = fleet.service(service);
  const kind = options.kind ?? `${workload.kind} ${bad}`;
  const good = await fleet.desk.imageOf(workload);
  const image = fleet.images.issue(service, BAD[bad]);
  const at = Date.now();
  if (options.by === "apply") await fleet.desk.apply(workload, image, "release-robot");
  else await fleet.desk.deploy(workload, image);
  const act = await actOn(fleet, service, at, UNDO_PATIENCE_MS);
  if (act === null) {
    const now = await fleet.desk.imageOf(workload);
    const why = reasons(fleet.watch.lines, service, at).slice(-3).join(" | ");
    const asked = isAsked(fleet.watch.lines, service, image, at);
    await mend(fleet, service, good);
    const missed = `not undone: ${why || "nothing was said of it"}`;
    return {
      kind,
      service,
      at,
      act: null,
      happened: `${image} was not undone (${now})`,
      wrong: asked ? [] : [missed],
      ...(asked ? { asked: missed } : {}),
    };
  }
  const told = await fleet.twin.undo(workload);
  // What kubectl leaves to people for a StatefulSet, unship does right after the undo, where its role allows it.
  if (workload.kind === "StatefulSet") await fleet.desk.deleteBroken(workload);
  const differences = await fleet.twin.differences(workload);
  const stands = await fleet.desk.imageOf(workload);
  return {
    kind,
    service,
    at,
    act,
    happened: `${image} undone after ${seconds(act - at)}`,
    wrong: [
      ...(stands === good ? [] : [`it stands at ${stands}, not at ${good}`]),
      ...(told.includes("rolled back") ? [] : [`kubectl said: ${told}`]),
      ...differences,
    ],
  };
}

/** A change that breaks nothing. Whether somebody undid it is seen at the end (`judge`). */
export async function innocent(
  fleet: Fleet,
  service: string,
  how: "deploy" | "restart" | "scale" = "deploy",
): Promise<Entry> {
  const { workload } = fleet.service(service);
  const at = Date.now();
  const entry = (happened: string): Entry => ({ kind: `innocent ${how}`, service, at, act: null, happened, wrong: [] });
  switch (how) {
    case "deploy": {
      const image = fleet.images.issue(service);
      await fleet.desk.deploy(workload, image);
      return entry(image);
    }
    case "restart":
      await fleet.desk.restart(workload, new Date(at).toISOString());
      return entry("restarted");
    case "scale":
      await fleet.desk.scale(workload, workload.replicas + 1);
      await wait(15_000);
      await fleet.desk.scale(workload, workload.replicas);
      return entry(`scaled to ${workload.replicas + 1} and back`);
  }
}

/** Of a bad deploy a person takes care herself, after so long: by the good version again or by a newer one. Nothing is undone. */
export async function mendedByPerson(fleet: Fleet, service: string, how: "back" | "forward"): Promise<Entry> {
  const { workload } = fleet.service(service);
  const good = await fleet.desk.imageOf(workload);
  const at = Date.now();
  await fleet.desk.deploy(workload, fleet.images.issue(service, BAD.errors));
  await wait(PERSON_MS);
  const wanted = how === "back" ? good : fleet.images.issue(service);
  const byPerson = Date.now();
  const early = fleet.acts().some((act) => act.name === workload.name && act.at >= at);
  await fleet.desk.deploy(workload, wanted);
  await wait(UNDO_PATIENCE_MS);
  const act = await actOn(fleet, service, byPerson, 0);
  const stands = await fleet.desk.imageOf(workload);
  return {
    kind: `a person rolls ${how} in between`,
    service,
    at,
    act: early ? await actOn(fleet, service, at, 0) : null,
    happened: `${stands} stands`,
    wrong: [
      ...(act === null ? [] : [`it was written to ${seconds(act - byPerson)} after the person mended it`]),
      ...(stands === wanted ? [] : [`${wanted} should stand`]),
    ],
  };
}

/** Its node is lost for a while and comes back: no change is the culprit. */
export async function lostNode(fleet: Fleet, service: string, forMs: number): Promise<Entry> {
  const at = Date.now();
  await fleet.plane.edge?.kill();
  await wait(forMs);
  await fleet.plane.edge?.start();
  return { kind: "lost node", service, at, act: null, happened: `for ${seconds(forMs)}`, wrong: [] };
}

/** A pod is evicted, as a node's drain does it. */
export async function eviction(fleet: Fleet, service: string): Promise<Entry> {
  const at = Date.now();
  const name = fleet.eye.pods().find((pod) => pod.service === service)?.name ?? "";
  await persist(() =>
    fleet.plane.admin.must("POST", `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`, {
      body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: NAMESPACE } },
    }),
  );
  return { kind: "eviction of a pod", service, at, act: null, happened: name, wrong: [] };
}

/** What exceeds a limit is held with that reason and not written; the harness mends it. */
export async function heldByLimit(fleet: Fleet, service: string): Promise<Entry> {
  const good = await fleet.desk.imageOf(fleet.service(service).workload);
  const image = fleet.images.issue(service, BAD.errors);
  const at = Date.now();
  await fleet.desk.deploy(fleet.service(service).workload, image);
  // By the names of the rules that hold it.
  const because = /^(held: .*)?(rollbacks-per-hour|auto-rollbacks-per-day)\b/;
  const entry = await refusal(fleet, { kind: "beyond the limits", service, at, image, because });
  await mend(fleet, service, good);
  return entry;
}

/** Something outside breaks the service for a while; no change is the culprit, whatever was deployed just before. */
export async function outage(fleet: Fleet, service: string, forMs: number): Promise<Entry> {
  const at = Date.now();
  fleet.traffic.disturb(service, 0.4);
  await wait(forMs);
  fleet.traffic.disturb(service, 0);
  return { kind: "outage that no change caused", service, at, act: null, happened: `for ${seconds(forMs)}`, wrong: [] };
}

/** A bad deploy whose rollout is paused half way: it must be refused with that reason. The harness mends it. */
export async function pausedRollout(fleet: Fleet, service: string): Promise<Entry> {
  const { workload } = fleet.service(service);
  const good = await fleet.desk.imageOf(workload);
  const image = fleet.images.issue(service, BAD.errors);
  const at = Date.now();
  await fleet.desk.deploy(workload, image);
  await until(() => fleet.eye.pods().some((pod) => pod.image === image && pod.ready), 20_000);
  await fleet.desk.pause(workload, true);
  const entry = await refusal(fleet, { kind: "paused rollout", service, at, image, because: /paused/i });
  await fleet.desk.pause(workload, false);
  await mend(fleet, service, good);
  return entry;
}

/** The very first version of a service is bad: there is nothing to restore. The harness mends it. */
export async function withoutHistory(fleet: Fleet, service: string): Promise<Entry> {
  const { workload } = fleet.service(service);
  const image = fleet.images.issue(service, BAD.errors);
  const at = Date.now();
  await fleet.desk.create(workload, image);
  const because =
    /no (older|earlier|previous|known-good)|older revision|nothing to (go back|restore)|first (version|revision)|known.good/i;
  const entry = await refusal(fleet, { kind: "without an older revision", service, at, image, because });
  await mend(fleet, service, fleet.images.issue(service));
  return entry;
}

interface Refusal {
  readonly kind: string;
  readonly service: string;
  readonly at: number;
  readonly image: string;
  readonly because: RegExp;
}

async function refusal(fleet: Fleet, { kind, service, at, image, because }: Refusal): Promise<Entry> {
  const fitting = () => reasons(fleet.watch.lines, service, at).find((reason) => because.test(reason));
  await until(() => fitting() !== undefined, UNDO_PATIENCE_MS);
  const act = await actOn(fleet, service, at, 0);
  const reason = fitting();
  const said = reasons(fleet.watch.lines, service, at).slice(-3).join(" | ");
  return {
    kind,
    service,
    at,
    act,
    happened: reason === undefined ? `${image} was not refused` : `${image} refused: ${reason.slice(0, 160)}`,
    wrong: [
      ...(act === null ? [] : ["it was written to"]),
      ...(reason === undefined ? [`no reason fits ${because}; said was: ${said || "nothing"}`] : []),
    ],
  };
}

/** A person deploys what is good. */
export async function mend(fleet: Fleet, service: string, image: string): Promise<void> {
  const { workload } = fleet.service(service);
  await fleet.desk.deploy(workload, image);
  if (workload.kind === "StatefulSet") await fleet.desk.deleteBroken(workload);
}

/** When unship first wrote to the service's workload since then; null where it does not in that time. */
export async function actOn(fleet: Fleet, service: string, since: number, patienceMs: number): Promise<number | null> {
  const { name } = fleet.service(service).workload;
  const found = () => fleet.acts().find((act) => act.name === name && act.at >= since && act.verb === "patch");
  await until(() => found() !== undefined, patienceMs);
  return found()?.at ?? null;
}

/** Everything that was said of a service's incidents since then, without repetition, oldest first. */
export function reasons(lines: readonly WatchLine[], service: string, since: number): readonly string[] {
  const fitting = lines.filter(
    ({ at, incident }) =>
      Date.parse(at) >= since &&
      incident !== null &&
      (incident.service === service || incident.affectedServices.includes(service)),
  );
  const said = fitting.flatMap(({ text, incident }) => [
    text,
    ...(incident?.decision?.why ?? []),
    ...(incident?.gate?.review.rules.map(({ rule, reason }) => `${rule}: ${reason}`) ?? []),
    ...(incident?.timeline.filter(({ at }) => at >= since).map(({ event, detail }) => `${event}: ${detail}`) ?? []),
  ]);
  return [...new Set(said)];
}

/** Whether a plan that would take just this image off the service, and nothing else, was held for people since. */
function isAsked(lines: readonly WatchLine[], service: string, image: string, since: number): boolean {
  const version = image.slice(image.lastIndexOf(":") + 1);
  return lines.some(({ at, event, incident }) => {
    const targets = incident?.plan?.targets ?? [];
    const isOfIt = targets.length === 1 && targets[0]?.service === service && targets[0].expected.version === version;
    return event === "incident.held" && Date.parse(at) >= since && isOfIt;
  });
}

export async function until(holds: () => boolean, patienceMs: number): Promise<void> {
  for (let rest = patienceMs; rest > 0 && !holds(); rest -= POLL_MS) await wait(POLL_MS);
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
