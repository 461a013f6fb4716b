import type { Fenced } from "../model/fenced.ts";
import { type Plan, REASON_CHARS } from "../model/plan.ts";
import { sentenceFence } from "../model/sentence-fence.ts";
import { quote } from "../model/untrusted-text.ts";

/**
 * Why a plan was proposed, as it is shown (S11): the watch gives its reason in a sentence of ours, in which what it quotes is fenced;
 * whoever else proposes writes what they like, and all of it is fenced.
 */
export const saidReason = ({ proposedBy, reason }: Pick<Plan, "proposedBy" | "reason">): Fenced =>
  proposedBy === "watch" ? OWN.sentence(reason, REASON_CHARS) : quote(reason, REASON_CHARS);

const OWN = sentenceFence([]);
