import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { review } from "../../../core/guardrails/review.ts";
import type { RuleInput } from "../../../core/guardrails/rule.ts";
import { RULES } from "../../../core/guardrails/rules.ts";
import { freezeOf } from "./limit-rows.ts";
import { ASKING, DENYING, QUIET, TELLING } from "./rows.ts";
import { assessmentOf, firing, inputOf, policyOf, targetOf } from "./rule-inputs.ts";
import { standing, step } from "./rule-situations.ts";

const spoken = (input: RuleInput, rule: string) => review(input).rules.find((one) => one.rule === rule);

describe("rules", () => {
  it("allow the plan that the fresh decision names, and say under which condition", () => {
    expect(review(inputOf())).toEqual({
      verdict: "allow",
      rules: [
        {
          rule: "automatic-condition",
          verdict: "allow",
          reason: "auto_rollback: error_rate > 0.05 for 3m (checkout)",
        },
      ],
    });
  });

  it.each(DENYING)("deny: %s", (_, input, rule, verdict, says) => {
    expect(spoken(input, rule)).toEqual({ rule, verdict, reason: expect.stringContaining(says) });
    expect(review(input).verdict).toBe("deny");
  });

  it.each(ASKING)("ask a person: %s", (_, input, rule, verdict, says) => {
    expect(spoken(input, rule)).toEqual({ rule, verdict, reason: expect.stringContaining(says) });
    expect(review(input).verdict).not.toBe("allow");
  });

  it.each(TELLING)("say out loud: %s", (_, input, rule, verdict, says) => {
    expect(spoken(input, rule)).toEqual({ rule, verdict, reason: expect.stringContaining(says) });
  });

  it.each(QUIET)("say nothing: %s", (_, input, rule) => {
    expect(spoken(input, rule)).toBeUndefined();
  });

  it("allow a plan while an automatic condition holds for a service that the culprit hurts", () => {
    const conditions = [firing({ service: "web" })];
    const answers = { check_affected_services: { services: ["checkout", "web"], origin: "checkout" } };
    expect(review(inputOf({ assessment: assessmentOf({ conditions, answers }) })).verdict).toBe("allow");
    expect(review(inputOf({ assessment: assessmentOf({ conditions }) })).verdict).toBe("require_approval");
  });

  it("say what an approval expression asks once, though the decision asked it too", () => {
    const text = "affected_services > 3";
    const requireHumanApprovalIf = { text, holds: () => ({ holds: true, because: `it is 4: "${text}" is true` }) };
    const policy = policyOf({ chain: [step({ requireHumanApprovalIf })] });
    const needsPerson = [`it is 5: "${text}" is true`, "the metrics did not answer"];
    const assessment = assessmentOf({ decision: { ...assessmentOf().decision, needsPerson } });
    expect(spoken(inputOf({ policy, assessment }), "human-approval")?.reason).toBe(
      `it is 4: "${text}" is true; the metrics did not answer`,
    );
  });

  it("let rollbacks through a freeze that says so, and say that it does", () => {
    const input = inputOf({ policy: policyOf({ freezeWindows: [freezeOf({ rollbacks: "allow" })] }) });
    expect(review(input).verdict).toBe("allow");
    expect(spoken(input, "freeze")?.reason).toBe(
      "the freeze launch holds until 17:00:00 UTC; it lets rollbacks through",
    );
  });

  it("S13: say out loud what would bring the bad version back", () => {
    const input = inputOf({
      targets: standing(targetOf(), "v2", "7", { warnings: ["the next apply brings v2 back"] }),
    });
    expect(review(input)).toMatchObject({
      verdict: "allow",
      rules: expect.arrayContaining([
        {
          rule: "aftermath",
          verdict: "allow",
          reason: "Deployment production/checkout: «the next apply brings v2 back»",
        },
      ]),
    });
  });

  it("are listed, every file of the folder once, under the file's name", () => {
    const folder = join(import.meta.dirname, "../../../core/guardrails/rules");
    const files = readdirSync(folder).map((file) => file.replace(/\.ts$/, ""));
    expect(RULES.map(({ name }) => name).sort()).toEqual(files.sort());
  });

  it("each have a row here", () => {
    const covered = new Set([...DENYING, ...ASKING, ...TELLING].map(([, , rule]) => rule));
    expect(RULES.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});
