import { describe, expect, it } from "vitest";
import { planText } from "../../../agent/cli/plan-text.ts";
import type { Config } from "../../../core/config/config.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { flagOf, planOf, serviceOf, targetOf } from "../../core/guardrails/rule-inputs.ts";

const person = { tokenSha256: "", services: null, actions: null, upTo: "critical" } as const;
const config = (change: Partial<Config> = {}): Config =>
  testConfig({
    services: { checkout: serviceOf({ flags: ["new-cart"] }), cart: serviceOf({ flags: ["new-cart"] }) },
    approvers: [
      { ...person, name: "ada" },
      { ...person, name: "bob", services: ["cart"] },
    ],
    ...change,
  });
const page = (...given: Parameters<typeof planText>) => planText(...given).join("\n");

describe("a plan as the person who approves it reads it", () => {
  it("says what runs, what will run and what stays, target by target", () => {
    const text = page(planOf(), config());
    expect(text).toContain("1. kubectl_rollout_undo: Deployment/checkout in production, service checkout");
    expect(text).toContain("- runs now:  v2 (revision 7)\n     + will run:  v1 (revision 6)");
    expect(text).toContain("Also moves: nothing else that unship knows of.");
    expect(text).toContain("ConfigMaps and Secrets keep what they hold now");
    expect(text).toContain("replicas: their number stays as it is now");
  });

  it("says of a flag whether it is on, and which other service evaluates it", () => {
    const text = page(planOf({ targets: [flagOf()] }), config());
    expect(text).toContain("Flag/new-cart in environment production, service checkout");
    expect(text).toContain("- runs now:  on\n     + will run:  off");
    expect(text).toContain("cart, which the file says Flag new-cart belongs to");
    expect(text).toContain("code: the version that runs stays");
    expect(text).not.toContain("replicas");
  });

  it("says of a schema its version alone, since it has no revisions", () => {
    const [expected, restore] = [
      { version: "b2", revision: "" },
      { version: "a1", revision: "" },
    ];
    const text = page(
      planOf({ targets: [targetOf({ action: "database_migration_rollback", expected, restore })] }),
      config(),
    );
    expect(text).toContain("- runs now:  b2\n     + will run:  a1\n");
  });

  it("says what the gate found that moves with it, and what holds it", () => {
    const text = page(planOf(), config(), {
      verdict: "require_approval",
      rules: [
        { rule: "cooldown", verdict: "require_approval", reason: "taken back a minute ago" },
        {
          rule: "aftermath",
          verdict: "allow",
          reason: "Deployment production/checkout: the next apply brings v2 back",
        },
      ],
    });
    expect(text).toContain("Held by cooldown: taken back a minute ago");
    expect(text).toMatch(/Also moves:\n\s+Deployment production\/checkout: the next apply brings v2 back/);
  });

  it.each([
    ["those who may answer for all of it", {}, [targetOf()], "May approve: ada"],
    ["everyone, where all may", {}, [targetOf({ name: "cart" })], "May approve: ada, bob"],
    ["nobody", { approvers: [] }, [targetOf()], "May approve: nobody in the file (approvers)"],
    [
      "two people, where it needs two",
      {
        approval: {
          twoPersons: [{ services: null, actions: null, criticality: "low" as const }],
          remindAfterMs: 1,
          escalate: [],
          tokenFile: "other_user" as const,
        },
      },
      [targetOf({ name: "cart" })],
      "May approve: ada, bob; two of them have to",
    ],
  ])("names who may approve it: %s", (_, change, targets, says) => {
    expect(page(planOf({ targets }), config(change)).split("\n").at(-1)?.trim()).toBe(says);
  });

  it("spells every action's gaps", () => {
    for (const action of ["argocd_sync_to_previous", "database_migration_rollback"] as const) {
      expect(page(planOf({ targets: [targetOf({ action })] }), config())).toMatch(/Not covered:\n\s+\w+/);
    }
  });
});
