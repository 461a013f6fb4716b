import { chance } from "../../../evals/real-kubernetes/shop/chance.ts";
import type { Fleet } from "./fleet.ts";
import type { Planned } from "./run.ts";
import {
  badDeploy,
  type Entry,
  eviction,
  innocent,
  lostNode,
  mendedByPerson,
  outage,
  pausedRollout,
  withoutHistory,
} from "./troubles.ts";

type Act = (fleet: Fleet, service: string) => Promise<Entry>;

/** After something happened to a service, nothing else does for so long: what it ended with must serve before it is restored. */
const REST_SECONDS = 150;
/** Troubles begin in pairs and threes, so that they overlap; a burst of them is followed by some calm. */
const BURST_SECONDS = 110;
const IN_BURST_SECONDS = 12;

const bad =
  (kind: Parameters<typeof badDeploy>[2]): Act =>
  (fleet, service) =>
    badDeploy(fleet, service, kind);

const TROUBLES: readonly Act[] = [
  bad("errors"),
  bad("errors"),
  bad("slow"),
  bad("neverReady"),
  bad("crashes"),
  (fleet, service) => badDeploy(fleet, service, "errors", { kind: "bad deploy by server-side apply", by: "apply" }),
  (fleet, service) => mendedByPerson(fleet, service, "back"),
  (fleet, service) => mendedByPerson(fleet, service, "forward"),
];
/** These take a Deployment. */
const OF_DEPLOYMENTS: readonly Act[] = [pausedRollout];
const INNOCENT: readonly Act[] = [
  (fleet, service) => innocent(fleet, service),
  (fleet, service) => innocent(fleet, service),
  (fleet, service) => innocent(fleet, service, "restart"),
  (fleet, service) => innocent(fleet, service, "scale"),
  eviction,
];

/**
 * An hour's worth of what happens to a fleet, drawn by a seed: about thirty troubles and as many innocent changes, in
 * overlapping bursts, innocent ones seconds before an outage among them; the API server hangs twice and is killed once,
 * etcd is restarted, the roles' tokens are rotated, a node is lost.
 */
export function hour(fleet: Fleet, seed: number, seconds = 3600): readonly Planned[] {
  const by = chance(seed);
  const planned: Planned[] = [];
  const free = new Map(fleet.services.map(({ name }) => [name, 0]));
  const take = (at: number, fits: (service: string) => boolean = () => true): string | null => {
    const able = [...free].filter(([name, since]) => since <= at && name !== "fresh" && name !== "far" && fits(name));
    if (able.length === 0) return null;
    const [name] = by.pick(able);
    free.set(name, at + REST_SECONDS);
    return name;
  };
  const add = (at: number, act: Act, service: string | null) => {
    if (service !== null) planned.push({ at, act: () => act(fleet, service) });
  };
  const isDeployment = (name: string) => fleet.service(name).workload.kind === "Deployment";
  for (let at = 0, burst = 0; at < seconds - 200; at += BURST_SECONDS, burst += 1) {
    add(at, by.pick(TROUBLES), take(at));
    add(at + by.below(IN_BURST_SECONDS), by.pick(INNOCENT), take(at, isDeployment));
    if (burst % 4 === 1) {
      // Seconds after an innocent deploy something outside breaks the very service.
      const service = take(at, isDeployment);
      add(at + 2, (one, name) => innocent(one, name), service);
      add(at + 4 + by.below(4), (one, name) => outage(one, name, 30_000), service);
    } else {
      const act = burst % 5 === 2 ? by.pick(OF_DEPLOYMENTS) : by.pick(TROUBLES);
      add(at + by.below(IN_BURST_SECONDS), act, take(at, isDeployment));
    }
    add(at + BURST_SECONDS / 2, by.pick(INNOCENT), take(at + BURST_SECONDS / 2, isDeployment));
  }
  const quietly = (at: number, act: () => Promise<void> | void): Planned => ({
    at,
    act: async () => {
      await act();
      return null;
    },
  });
  const { apiServer, etcd } = fleet.plane;
  const part = (share: number) => Math.round(seconds * share);
  for (const at of [part(0.2), part(0.7)])
    planned.push(
      quietly(at, () => apiServer.hang()),
      quietly(at + 20, () => apiServer.resume()),
    );
  planned.push(
    quietly(part(0.4), async () => {
      await apiServer.kill();
      await apiServer.start();
    }),
    quietly(part(0.5), async () => {
      await etcd.stop();
      await etcd.start();
    }),
    quietly(part(0.3), () => fleet.roles.rotate("unship-read")),
    quietly(part(0.6), () => fleet.roles.rotate("unship-gate")),
    { at: part(0.55), act: () => lostNode(fleet, "far", 75_000) },
    { at: part(0.8), act: () => withoutHistory(fleet, "fresh") },
  );
  return planned.toSorted((a, b) => a.at - b.at);
}
