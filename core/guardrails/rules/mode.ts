import type { Mode } from "../../config/config.ts";
import { own } from "../../model/fenced.ts";
import { name } from "../../model/untrusted-text.ts";
import { allOf, type GatePolicy, type Rule } from "../rule.ts";
import { touchedByPlan } from "../touched.ts";

/**
 * The operator sets for each service how far unship may go; observing must never turn into acting by accident (S7).
 * A target that belongs to several services, or changes with them, gets the strictest of their modes.
 */
export const mode: Rule = {
  name: "mode",
  check(input) {
    const services = [...new Set(touchedByPlan(input).flatMap((one) => one.services))];
    const inMode = (wanted: Mode) => services.filter((service) => modeOf(service, input.policy) === wanted);
    return (
      allOf(
        "deny",
        inMode("observe").map((service) => own`${name(service)} runs in mode observe, which executes nothing`),
      ) ??
      allOf(
        "require_approval",
        inMode("approve").map((service) => own`${name(service)} runs in mode approve: each rollback needs a person`),
      )
    );
  },
};

/** A service that the file does not describe, or gives no mode of its own, has that of the file. */
function modeOf(service: string, { services, mode: ofTheFile }: GatePolicy): Mode {
  const described = Object.hasOwn(services, service) ? services[service] : undefined;
  return described?.mode ?? ofTheFile;
}
