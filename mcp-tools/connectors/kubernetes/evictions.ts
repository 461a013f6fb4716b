import type { InfrastructureChange } from "../../../core/model/change.ts";
import type { InfrastructureSource } from "../../../core/ports.ts";
import type { Pod } from "./objects.ts";

/** Remembers from which nodes pods were taken, since a cluster forgets a pod that is gone. */
export interface Evictions extends InfrastructureSource {
  /** Looks at all pods of one reading. */
  see(pods: readonly Pod[]): void;
}

/** Pods of one node that go within so long of each other are one act: a drain waits for disruption budgets between them. */
const ONE_ACT_MS = 10 * 60_000;
/** As long as changes are kept. */
const KEPT_MS = 48 * 3_600_000;

/**
 * Why a pod is taken from its node by what is no change of its service, as Kubernetes marks it before the pod goes.
 * @see https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions
 */
const REASONS: Readonly<Record<string, string>> = {
  EvictionByEvictionAPI: "pods evicted, as a drain or an autoscaler does",
  DeletionByTaintManager: "pods deleted for a taint: the node is lost, or was taken out",
  DeletionByPodGC: "pods deleted whose node is gone",
  PreemptionByScheduler: "pods preempted for others of higher priority",
  TerminationByKubelet: "pods ended by the node: under pressure, or shutting down",
};

interface Act {
  readonly node: string;
  readonly reason: string;
  readonly from: number;
  to: number;
  readonly pods: Set<string>;
}

/**
 * Nodes from which pods were taken, one change for each act, as the condition DisruptionTarget of pods tells it while they
 * go: what the right to list pods tells of drains, lost nodes and preemption. Cordons and versions of nodes take rights in
 * the whole cluster and are not read. What no reading caught is not known. Unix ms.
 */
export function createEvictions(source: string, now: () => number): Evictions {
  const acts: Act[] = [];
  return {
    name: source,
    see(pods) {
      const taken = pods.flatMap(({ metadata, spec, status }) => {
        const mark = status.conditions.find(({ type, status: is }) => type === "DisruptionTarget" && is === "True");
        if (mark?.lastTransitionTime === undefined || !spec.nodeName) return [];
        return [{ uid: metadata.uid, node: spec.nodeName, reason: mark.reason, at: mark.lastTransitionTime }];
      });
      for (const { uid, node, reason, at } of taken.toSorted((a, b) => a.at - b.at)) {
        if (acts.some((act) => act.pods.has(uid))) continue;
        const open = acts.find(
          (act) => act.node === node && act.reason === reason && at >= act.from && at <= act.to + ONE_ACT_MS,
        );
        if (open === undefined) acts.push({ node, reason, from: at, to: at, pods: new Set([uid]) });
        else {
          open.to = Math.max(open.to, at);
          open.pods.add(uid);
        }
      }
      const oldest = now() - KEPT_MS;
      for (const act of acts.filter(({ to }) => to < oldest)) acts.splice(acts.indexOf(act), 1);
    },
    infrastructure: async ({ from, to }) =>
      acts
        .filter((act) => act.from <= to && endOf(act, now()) >= from)
        .map((act) => changeOf(act, source, now()))
        .toSorted((a, b) => a.startedAt - b.startedAt),
  };
}

/** An act whose last pod went lately may still go on. */
const endOf = ({ to }: Act, at: number): number => (at - to <= ONE_ACT_MS ? at : to);

function changeOf(act: Act, source: string, at: number): InfrastructureChange {
  const { node, reason, from, to, pods } = act;
  return {
    id: `infrastructure:node/${node}:${reason}:${from}`,
    kind: "infrastructure",
    place: `node ${node}`,
    from: "",
    to: `${REASONS[reason] ?? "pods taken from it"} (${pods.size} seen)`,
    startedAt: from,
    finishedAt: endOf(act, at) === at && at > to ? null : to,
    source,
  };
}
