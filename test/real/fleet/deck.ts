import type { FleetService } from "./configuration.ts";
import type { Fleet } from "./fleet.ts";
import { badSync, healed } from "./git-ops-troubles.ts";
import { badCanary, innocentCanary } from "./rollout-troubles.ts";
import {
  type BadKind,
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

/** One thing that an hour holds so many times, each at a service that fits. */
export interface Card {
  readonly kind: string;
  readonly times: number;
  readonly fits: (service: FleetService) => boolean;
  /** What happens, each so many seconds after the card's time. */
  readonly acts: readonly { readonly after: number; readonly act: (fleet: Fleet, service: string) => Promise<Entry> }[];
}

/** For one thing of their own alone: the service on the edge node, and the one that is deployed during the run. */
const OWN = ["far", "fresh"];
const named =
  (name: string): Card["fits"] =>
  (service) =>
    service.name === name;
const ofKind =
  (...kinds: readonly FleetService["workload"]["kind"][]): Card["fits"] =>
  ({ name, workload }) =>
    kinds.includes(workload.kind) && workload.byGit !== true && !OWN.includes(name);
const byGit: Card["fits"] = ({ workload }) => workload.byGit === true;
const rollout =
  (strategy: FleetService["workload"]["strategy"]): Card["fits"] =>
  ({ workload }) =>
    workload.kind === "Rollout" && workload.strategy === strategy;
const card = (kind: string, times: number, fits: Card["fits"], act: Card["acts"][number]["act"]): Card => ({
  kind,
  times,
  fits,
  acts: [{ after: 0, act }],
});
const bad =
  (what: BadKind, options: Parameters<typeof badDeploy>[3] = {}): Card["acts"][number]["act"] =>
  (fleet, service) =>
    badDeploy(fleet, service, what, options);

const OUTAGE_MS = 30_000;
const NODE_LOST_MS = 75_000;

/** Thirty-five troubles. What is right for each (undone, refused with its reason, left alone) is judged by its act. */
export const TROUBLES: readonly Card[] = [
  card("a deploy that fails requests", 4, ofKind("Deployment"), bad("errors")),
  card("a deploy that is slow", 2, ofKind("Deployment"), bad("slow")),
  card("a deploy that never becomes ready", 2, ofKind("Deployment"), bad("neverReady")),
  card("a deploy that crashes", 2, ofKind("Deployment"), bad("crashes")),
  card("a StatefulSet that is stuck", 2, ofKind("StatefulSet"), bad("neverReady")),
  card("a StatefulSet that fails requests", 1, ofKind("StatefulSet"), bad("errors")),
  card("a DaemonSet that fails requests", 2, ofKind("DaemonSet"), bad("errors")),
  card(
    "a deploy applied on the server's side by another manager",
    2,
    ofKind("Deployment"),
    bad("errors", { kind: "bad deploy by server-side apply", by: "apply" }),
  ),
  card("a bad canary", 2, rollout("canary"), badCanary),
  card("a bad blue-green", 2, rollout("blueGreen"), bad("errors", { kind: "blue-green of Argo Rollouts, bad" })),
  card("a bad commit that Argo CD syncs", 2, byGit, badSync),
  card("a change past Git that Argo CD heals", 1, byGit, healed),
  card("a person who rolls back in between", 2, ofKind("Deployment"), (fleet, service) =>
    mendedByPerson(fleet, service, "back"),
  ),
  card("a person who rolls forward in between", 2, ofKind("Deployment"), (fleet, service) =>
    mendedByPerson(fleet, service, "forward"),
  ),
  card("a rollout that is paused", 2, ofKind("Deployment"), pausedRollout),
  card("a version without an older one", 1, named("fresh"), withoutHistory),
  card("a lost node", 1, named("far"), (fleet, service) => lostNode(fleet, service, NODE_LOST_MS)),
  {
    kind: "an innocent deploy seconds before an outage",
    times: 3,
    fits: ofKind("Deployment"),
    acts: [
      { after: 0, act: (fleet, service) => innocent(fleet, service) },
      { after: 5, act: (fleet, service) => outage(fleet, service, OUTAGE_MS) },
    ],
  },
];

/** Thirty-one changes that break nothing; three more stand before an outage. */
export const INNOCENT: readonly Card[] = [
  card("an innocent deploy", 12, ofKind("Deployment", "StatefulSet", "DaemonSet"), (fleet, service) =>
    innocent(fleet, service),
  ),
  card("an innocent canary", 2, rollout("canary"), innocentCanary),
  card("an innocent blue-green", 1, rollout("blueGreen"), (fleet, service) => innocent(fleet, service)),
  card("an innocent commit that Argo CD syncs", 1, byGit, (fleet, service) => innocent(fleet, service)),
  card("a restart", 5, ofKind("Deployment", "StatefulSet", "DaemonSet"), (fleet, service) =>
    innocent(fleet, service, "restart"),
  ),
  card("a scaling", 5, ofKind("Deployment", "StatefulSet"), (fleet, service) => innocent(fleet, service, "scale")),
  card("an eviction", 5, ofKind("Deployment", "StatefulSet"), eviction),
];
