import { own } from "../../model/fenced.ts";
import { clockText, durationText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import type { Intent } from "../gate-store.ts";
import { allOf, type Rule } from "../rule.ts";
import { rolledBackByBoth, touchedByAct, touchedByPlan } from "../touched.ts";

/** Two rollbacks of one service in quick succession are flapping: the second needs approval. */
export const cooldown: Rule = {
  name: "cooldown",
  check(input) {
    const { policy, store, now } = input;
    const { cooldownMs, cooldownScope } = policy.guardrails;
    const touched = touchedByPlan(input);
    const isOfPlan = (act: Intent) =>
      touched.some((one) => rolledBackByBoth(one, touchedByAct(act, policy.services)).length > 0);
    const recent = store.used
      .map((one) => ({ ...one, at: Math.max(one.reservedAt, one.finishedAt ?? 0) }))
      .filter(({ at }) => at > now - cooldownMs)
      .filter((one) => cooldownScope === "global" || isOfPlan(one))
      .sort((a, b) => b.at - a.at)[0];
    if (recent === undefined) return undefined;
    const scope = cooldownScope === "global" ? " between any two" : "";
    return allOf("require_approval", [
      own`${name(recent.target.service)} was rolled back at ${clockText(recent.at, now)} by ${name(recent.planId)} of incident ${name(recent.incidentId)}; the cooldown of ${durationText(cooldownMs)}${scope} ends at ${clockText(recent.at + cooldownMs, now)}`,
    ]);
  },
};
