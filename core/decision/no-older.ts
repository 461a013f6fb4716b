import type { Change } from "../model/change.ts";
import type { Rollout } from "../model/evidence.ts";

const NO_OLDER = "has no older revision to restore";

/**
 * That nothing could be restored whatever is found: a workload of the changed service has no revision but the one that the
 * change brought. In words; null where there is an older one, or where nobody tells. Pure.
 */
export function withoutOlderRevision({ service, kind, to }: Change, rollouts: readonly Rollout[]): string | null {
  const own = kind === "deploy" ? rollouts.filter((one) => one.service === service && one.version === to) : [];
  const isFirst =
    own.length > 0 && own.every(({ revisions }) => revisions.length > 0 && revisions.every((one) => one.current));
  return isFirst ? `${service} ${NO_OLDER}: ${to} is its first version` : null;
}

/** The reason among those for a person that says so; undefined: none does. */
export const saysNoOlder = (reasons: readonly string[]): string | undefined =>
  reasons.find((reason) => reason.includes(NO_OLDER));
