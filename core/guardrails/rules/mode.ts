import type { Mode } from "../../config/config.ts";
import { own } from "../../model/fenced.ts";
import type { Target } from "../../model/plan.ts";
import { name } from "../../model/untrusted-text.ts";
import { servicesOf } from "../names.ts";
import { allOf, type GatePolicy, type Rule } from "../rule.ts";

const FREEDOM: Readonly<Record<Mode, number>> = { observe: 0, approve: 1, auto: 2 };

/**
 * People decide how far unship may go, service by service; watching must never turn into acting by accident (S7).
 * An object that belongs to several services gets the strictest of their modes.
 */
export const mode: Rule = {
  name: "mode",
  check({ plan, policy }) {
    const modes = plan.targets.map((target) => ({ service: target.service, mode: modeOf(target, policy) }));
    const watched = modes.filter((one) => one.mode === "observe");
    if (watched.length > 0) {
      return allOf(
        "deny",
        watched.map(({ service }) => own`${name(service)} runs in mode observe, which executes nothing`),
      );
    }
    return allOf(
      "require_approval",
      modes
        .filter((one) => one.mode === "approve")
        .map(({ service }) => own`${name(service)} runs in mode approve: each rollback needs a person`),
    );
  },
};

function modeOf(target: Target, policy: GatePolicy): Mode {
  const claimed = Object.hasOwn(policy.services, target.service) ? policy.services[target.service] : undefined;
  const modes = servicesOf(target, policy.services).map((service) => policy.services[service]?.mode ?? policy.mode);
  return modes.reduce<Mode>(
    (so, one) => (FREEDOM[one] < FREEDOM[so] ? one : so),
    claimed === undefined ? policy.mode : (claimed.mode ?? policy.mode),
  );
}
