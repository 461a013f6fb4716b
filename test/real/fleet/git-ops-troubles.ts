import { setTimeout as wait } from "node:timers/promises";
import type { Fleet } from "./fleet.ts";
import { ACCOUNTS, type GitOps } from "./git-ops.ts";
import { BAD, type Entry, reasons, seconds, UNDO_PATIENCE_MS } from "./troubles.ts";

const POLL_MS = 500;
const SETTLED_MS = 60_000;

/**
 * A bad commit that Argo CD syncs by itself: its application must be taken back to the entry before, with auto-sync off, so
 * that self-heal does not undo that. Then people revert the commit and switch auto-sync on again.
 */
export async function badSync(fleet: Fleet, service: string): Promise<Entry> {
  const gitOps = gitOpsOf(fleet);
  const { workload } = fleet.service(service);
  const good = await fleet.desk.imageOf(workload);
  const image = fleet.images.issue(service, BAD.errors);
  const at = Date.now();
  await fleet.desk.deploy(workload, image);
  const isTaken = async () => {
    const { isAutomated, phase, by } = await gitOps.state(workload);
    return !isAutomated && phase === "Succeeded" && by === ACCOUNTS.gate;
  };
  const isUndone = await holds(isTaken, UNDO_PATIENCE_MS);
  const kind = "bad commit synced by Argo CD";
  const { startedAt } = await gitOps.state(workload);
  if (isUndone) await gitOps.rollBackTwin(workload);
  const isBack = () => isAt(fleet, service, good);
  const wrong = isUndone
    ? [
        ...((await holds(async () => isBack(), SETTLED_MS)) ? [] : [`not all pods are at ${good} again`]),
        ...(await fleet.twin.differences(workload)),
      ]
    : [`not undone: ${reasons(fleet.watch.lines, service, at).slice(-3).join(" | ") || "nothing was said of it"}`];
  await fleet.desk.deploy(workload, good);
  await gitOps.resume(workload);
  const happened = isUndone
    ? `${image} taken back after ${seconds(startedAt - at)}, auto-sync off`
    : `${image} was not undone`;
  return { kind, service, at, act: null, happened, wrong };
}

/** Somebody changes the object past Git, to a bad version; Argo CD heals it within seconds, and nothing is left to undo. */
export async function healed(fleet: Fleet, service: string): Promise<Entry> {
  const gitOps = gitOpsOf(fleet);
  const { workload } = fleet.service(service);
  const good = await fleet.desk.imageOf(workload);
  const at = Date.now();
  await fleet.pastGit.deploy(workload, fleet.images.issue(service, BAD.errors));
  const isHealed = await holds(async () => isAt(fleet, service, good), UNDO_PATIENCE_MS);
  await wait(UNDO_PATIENCE_MS);
  const { by, isAutomated } = await gitOps.state(workload);
  return {
    kind: "change past Git, healed by Argo CD",
    service,
    at,
    act: null,
    happened: `${good} stands`,
    wrong: [
      ...(isHealed ? [] : ["Argo CD did not heal it"]),
      ...(isAutomated && by !== ACCOUNTS.gate ? [] : ["its application was rolled back, or auto-sync switched off"]),
    ],
  };
}

function gitOpsOf({ gitOps }: Fleet): GitOps {
  if (gitOps === null) throw new Error("the fleet runs without Argo CD");
  return gitOps;
}

/** Whether all its pods are of this image and none is missing. */
const isAt = (fleet: Fleet, service: string, image: string): boolean =>
  fleet.missing(service) === 0 && fleet.eye.pods().every((pod) => pod.service !== service || pod.image === image);

async function holds(asked: () => Promise<boolean>, patienceMs: number): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await wait(POLL_MS))
    if (await asked().catch(() => false)) return true;
  return false;
}
