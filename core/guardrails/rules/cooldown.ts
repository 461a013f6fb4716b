import { own } from "../../model/fenced.ts";
import { durationText } from "../../model/time.ts";
import { name } from "../../model/untrusted-text.ts";
import { skeleton } from "../names.ts";
import { allOf, clockText, type Rule } from "../rule.ts";
import { targetKey } from "../targets.ts";

/** Two rollbacks of one service in quick succession are a flap: the second needs a person. */
export const cooldown: Rule = {
  name: "cooldown",
  check({ plan, policy, store, now }) {
    const { cooldownMs, cooldownScope } = policy.guardrails;
    const services = new Set(plan.targets.map(({ service }) => skeleton(service)));
    const keys = new Set(plan.targets.map(targetKey));
    const recent = store.used
      .filter(
        (one) => cooldownScope === "global" || services.has(skeleton(one.target.service)) || keys.has(one.targetKey),
      )
      .map((one) => ({ ...one, at: Math.max(one.reservedAt, one.finishedAt ?? 0) }))
      .filter(({ at }) => at > now - cooldownMs)
      .sort((a, b) => b.at - a.at)[0];
    if (recent === undefined) return undefined;
    const scope = cooldownScope === "global" ? " between any two" : "";
    return allOf("require_approval", [
      own`${name(recent.target.service)} was rolled back at ${clockText(recent.at, now)} by ${name(recent.planId)} of incident ${name(recent.incidentId)}; the cooldown of ${durationText(cooldownMs)}${scope} ends at ${clockText(recent.at + cooldownMs, now)}`,
    ]);
  },
};
