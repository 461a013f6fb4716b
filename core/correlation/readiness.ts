import type { CaseFile } from "../model/assessment.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";

/**
 * What keeps new pods from becoming ready while old ones of the same service stay so is, but for one time in twenty, what is
 * new in them: a lost node, a zone, or a probe that asks a callee takes old pods as well. Nobody publishes the share; a
 * missing image or a dependency that is asked at start alone are the rest.
 */
const NEW_ALONE_NATS = Math.log(20);

/**
 * That the revision which a change brought is stuck: none of its pods became ready by its deadline, while pods of the
 * revision before it are. Null where it is not, or where no old pod is ready either, which tells no version. Pure.
 */
export function readinessReason(change: Change, { rollouts }: Pick<CaseFile, "rollouts">): Reason | null {
  const stuck = rollouts.find(
    ({ service, version, status, replicas, revisions }) =>
      service === change.service &&
      version === change.to &&
      status === "stuck" &&
      replicas.ready > 0 &&
      revisions.every(({ current, becameReady }) => !current || becameReady !== true),
  );
  if (stuck === undefined || change.kind !== "deploy") return null;
  const { ready, desired } = stuck.replicas;
  const sentence = `no pod of ${change.to} became ready by its deadline, while those before it serve (${ready} of ${desired} ready)`;
  return { name: "readiness", logOdds: NEW_ALONE_NATS, sentence };
}
