import { describe, expect, it } from "vitest";
import type { Approver } from "../../../core/config/config.ts";
import { criticalityOf, peopleOf, whyNotFor } from "../../../core/guardrails/approver-rights.ts";
import { serviceOf, targetOf } from "./rule-inputs.ts";

const ada = (change: Partial<Approver> = {}): Approver => ({
  name: "ada",
  tokenSha256: "",
  services: null,
  actions: null,
  upTo: "critical",
  ...change,
});
const services = {
  checkout: serviceOf({ criticality: "high" }),
  billing: serviceOf({ criticality: "critical", workload: { kind: "Deployment", name: "bill-api" } }),
};
const bill = targetOf({ object: { kind: "Deployment", namespace: "production", name: "bill-api" } });

describe("what a person may approve", () => {
  it.each([
    ["everything, where the file limits nothing", ada(), targetOf(), null],
    ["a service of their list", ada({ services: ["checkout"] }), targetOf(), null],
    ["no other service", ada({ services: ["cart"] }), targetOf(), "ada may not answer for checkout"],
    ["no service that only looks like theirs", ada({ services: ["сheckout"] }), targetOf(), "not answer for checkout"],
    ["no object of another service", ada({ services: ["checkout"] }), bill, "ada may not answer for billing"],
    ["no other action", ada({ actions: ["feature_flag_disable"] }), targetOf(), "not answer for kubectl_rollout_undo"],
    ["services up to their level", ada({ upTo: "high" }), targetOf(), null],
    ["none above it", ada({ upTo: "medium" }), targetOf(), "ada may approve up to medium, and checkout is high"],
    ["none whose object matters more", ada({ upTo: "high" }), bill, "checkout is critical"],
    [
      "S9: none that the file does not describe",
      ada({ upTo: "high" }),
      targetOf({ name: "mail" }),
      "does not describe",
    ],
  ])("%s", (_, person, target, why) => {
    const answer = whyNotFor(person, target, services);
    if (why === null) expect(answer).toBeNull();
    else expect(answer).toContain(why);
  });

  it("counts a service that the file does not describe as critical", () => {
    expect(criticalityOf(targetOf({ name: "mail" }), services)).toBe("critical");
    expect(criticalityOf(targetOf(), services)).toBe("high");
  });

  it("counts one person once, however the name is spelled", () => {
    const yes = { planId: "p", planHash: "h", answer: "approve", reason: "", at: 0, expiresAt: 1 } as const;
    const by = ["ada", "Ada", "bob", "ada"].map((name) => ({ ...yes, wallExpiresAt: 1, by: name }));
    expect(peopleOf(by)).toEqual(["ada", "bob"]);
  });
});
