import type { Fenced } from "../model/fenced.ts";
import { type Plan, REASON_CHARS } from "../model/plan.ts";
import { sentenceFence } from "../model/sentence-fence.ts";
import { quote } from "../model/untrusted-text.ts";

/**
 * Why a plan was proposed, as it is shown (S11): the watch gives its reason in a sentence of ours, in which what it quotes is fenced;
 * whoever else proposes writes what they like, and all of it is fenced.
 */
export const saidReason = ({ proposedBy, reason, targets }: Pick<Plan, "proposedBy" | "reason" | "targets">): Fenced =>
  proposedBy === "watch" ? sentenceFence(namesOf(targets)).sentence(reason, REASON_CHARS) : quote(reason, REASON_CHARS);

/** What the reason may repeat of what others named: services, versions, objects, changes. */
const namesOf = (targets: Plan["targets"]): readonly string[] =>
  targets.flatMap(({ service, changeId, object, expected, restore }) => [
    ...[service, changeId, object.name, object.namespace],
    ...[expected.version, restore.version],
  ]);
