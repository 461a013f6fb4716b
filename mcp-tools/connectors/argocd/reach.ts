import type { TargetState } from "../../../core/ports.ts";
import type { Application, Resource } from "./application.ts";

/** Kinds that run something, or stand for what does: each is a service of its own, or part of one. */
const RUNNING = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "Rollout",
  "Job",
  "CronJob",
  "Pod",
  "Application",
  "ApplicationSet",
]);

/**
 * What a sync of the application may change: `reaches` what runs, and what it deploys in its turn; `touches` the names
 * of everything else (Services, ConfigMaps, …).
 */
export function reachOf({ status }: Application): Pick<TargetState, "reaches" | "touches"> {
  const names = (which: (resource: Resource) => boolean) => [
    ...new Set(status.resources.filter(which).map(({ name }) => name)),
  ];
  return { reaches: names(({ kind }) => RUNNING.has(kind)), touches: names(({ kind }) => !RUNNING.has(kind)) };
}
