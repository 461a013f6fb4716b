import type { Change } from "../model/change.ts";
import type { Decision } from "../model/decision.ts";
import type { Rollout } from "../model/evidence.ts";

/**
 * That nothing could be restored whatever is found: a workload of the changed service has no revision but the one that the
 * change brought. In words; null where there is an older one, or where nobody tells. Pure.
 */
export function withoutOlderRevision({ service, kind, to }: Change, rollouts: readonly Rollout[]): string | null {
  const own = kind === "deploy" ? rollouts.filter((one) => one.service === service && one.version === to) : [];
  const isFirst =
    own.length > 0 && own.every(({ revisions }) => revisions.length > 0 && revisions.every((one) => one.current));
  return isFirst ? `${service} has no older revision to restore: ${to} is its first version` : null;
}

/** The decision with that among what a person has to weigh, where it is so. Pure. */
export const withNoOlder = (decision: Decision, noOlder: string | null | undefined): Decision =>
  noOlder == null ? decision : { ...decision, needsPerson: [...decision.needsPerson, noOlder], noOlder };
