import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { review, reviewWith, strictest } from "../../../core/guardrails/review.ts";
import { askPerson, deny, type Rule, type RuleInput } from "../../../core/guardrails/rule.ts";
import { RULES } from "../../../core/guardrails/rules.ts";
import { own } from "../../../core/model/fenced.ts";
import type { GuardrailVerdict } from "../../../core/model/plan.ts";
import { freezeOf } from "./limit-rows.ts";
import {
  assessmentOf,
  ENOUGH,
  flagOf,
  HOUR,
  inputOf,
  intentOf,
  MINUTE,
  NOW,
  planOf,
  policyOf,
  targetOf,
} from "./rule-inputs.ts";

const allow: Rule = { name: "content", check: () => undefined };
const asks: Rule = { name: "asks", check: () => askPerson(own`someone must look`) };
const denies: Rule = { name: "denies", check: () => deny(own`no`) };
const broken: Rule = {
  name: "broken",
  check: () => {
    throw new Error("a secret that must not be shown");
  },
};

describe("review", () => {
  it.each([
    ["no rule speaks", [allow], "allow", []],
    ["one asks", [allow, asks], "require_approval", ["asks"]],
    ["one denies after one asked", [asks, denies], "deny", ["denies", "asks"]],
    ["a rule throws: it denies", [allow, broken], "deny", ["broken"]],
  ] as const)("where %s", (_, rules, verdict, names) => {
    const answer = reviewWith(rules, inputOf());
    expect({ verdict: answer.verdict, names: answer.rules.map(({ rule }) => rule) }).toEqual({ verdict, names });
  });

  it("S10: does not show what a broken rule threw", () => {
    expect(JSON.stringify(reviewWith([broken], inputOf()))).not.toContain("secret");
  });

  it("denies where a rule meets facts that it cannot read", () => {
    const input = inputOf();
    const torn = { ...input, store: { ...input.store, used: null } } as unknown as RuleInput;
    expect(review(torn).verdict).toBe("deny");
  });
});

/** Trouble is rare in each part, so that inputs without any come up too. */
const mostly = (value: boolean): fc.Arbitrary<boolean> => fc.constantFrom(value, value, value, value, value, !value);

/** Inputs of all kinds: content ones, and ones with any mixture of trouble. */
const anyInput: fc.Arbitrary<RuleInput> = fc
  .record({
    names: fc.uniqueArray(fc.constantFrom("checkout", "cart", "billing-service", "mail", "bіlling"), { minLength: 1 }),
    flag: fc.boolean(),
    mode: fc.constantFrom("observe", "approve", "auto", "auto", "auto", "auto"),
    firing: mostly(true),
    equal: mostly(true),
    probability: fc.double({ min: 0, max: 1, noNaN: true }),
    used: fc.array(
      fc.record({ name: fc.constantFrom("checkout", "cart", "mail"), ago: fc.nat(30 * HOUR), automatic: fc.boolean() }),
      { maxLength: 8 },
    ),
    stale: mostly(false),
    readable: mostly(true),
    skewMs: fc.oneof({ arbitrary: fc.constant(0), weight: 5 }, { arbitrary: fc.nat(10 * MINUTE), weight: 1 }),
  })
  .map((given) => {
    const targets = [...given.names.map((name) => targetOf({ name })), ...(given.flag ? [flagOf()] : [])];
    const plan = planOf({ targets });
    const assessment = assessmentOf({ targets: given.equal ? targets : [] });
    const decision = { ...assessment.decision, culprit: { changeId: "c", probability: given.probability } };
    return inputOf({
      plan,
      policy: policyOf({ mode: given.mode }),
      assessment: { ...assessment, decision, conditions: given.firing ? assessment.conditions : [] },
      targets: targets.map((target) => ({
        target,
        state: given.readable
          ? {
              ...target.expected,
              ...(given.stale ? { version: "v9" } : {}),
              obstacles: [],
              warnings: [],
              capacity: ENOUGH,
            }
          : null,
        problem: null,
        executable: true,
      })),
      store: {
        skewMs: given.skewMs,
        used: given.used.map(({ name, ago, automatic }, index) =>
          intentOf({ name, planId: `p${index}`, reservedAt: NOW - ago, automatic }),
        ),
      },
    });
  });

/** Ways in which people can make the file, or facts can make the situation, stricter. */
const RESTRICTIONS: Readonly<Record<string, (input: RuleInput) => RuleInput>> = {
  "one name more under never_auto_rollback": (input) => ({
    ...input,
    policy: guardrails(input, { neverAutoRollback: [...input.policy.guardrails.neverAutoRollback, "checkout"] }),
  }),
  "a lower daily budget": (input) => ({ ...input, policy: guardrails(input, { maxAutoRollbacksPerDay: 1 }) }),
  "a longer cooldown": (input) => ({ ...input, policy: guardrails(input, { cooldownMs: 3 * HOUR }) }),
  "a global cooldown": (input) => ({ ...input, policy: guardrails(input, { cooldownScope: "global" }) }),
  "an earlier escalation": (input) => ({ ...input, policy: guardrails(input, { escalateToHumanAfter: 1 }) }),
  "a smaller mode": (input) => ({
    ...input,
    policy: { ...input.policy, mode: input.policy.mode === "auto" ? "approve" : "observe" },
  }),
  "require_approval everywhere": (input) => ({
    ...input,
    policy: {
      ...input.policy,
      allowedActions: input.policy.allowedActions.map((one) => ({ ...one, requireApproval: true })),
    },
  }),
  "a lower hourly budget": (input) => ({
    ...input,
    policy: {
      ...input.policy,
      allowedActions: input.policy.allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: 1 })),
    },
  }),
  "a namespace less": (input) => ({
    ...input,
    policy: { ...input.policy, allowedActions: input.policy.allowedActions.map((one) => ({ ...one, namespaces: [] })) },
  }),
  "a pause": (input) => ({ ...input, store: { ...input.store, pauses: [{ scope: "*", by: "zoe", at: NOW }] } }),
  "one rollback more in the past": (input) => ({
    ...input,
    store: { ...input.store, used: [...input.store.used, intentOf({ reservedAt: NOW - MINUTE })] },
  }),
  "a freeze that denies rollbacks": (input) => ({
    ...input,
    policy: { ...input.policy, freezeWindows: [freezeOf({ rollbacks: "deny" })] },
  }),
  "a smaller blast radius": (input) => ({
    ...input,
    policy: { ...input.policy, blastRadius: { services: 1, trafficShare: 0.1, replicas: 1 } },
  }),
  "more kinds of evidence": (input) => ({ ...input, policy: { ...input.policy, evidenceKinds: 2 } }),
  "two persons for all": (input) => ({
    ...input,
    policy: {
      ...input.policy,
      approval: { ...input.policy.approval, twoPersons: [{ services: null, actions: null, criticality: "low" }] },
    },
  }),
  "a capacity that nobody knows": (input) => ({
    ...input,
    targets: input.targets.map((one) =>
      one.state === null ? one : { ...one, state: { ...one.state, capacity: undefined } },
    ) as RuleInput["targets"],
  }),
  "a service that nobody describes any more": (input) => ({ ...input, policy: { ...input.policy, services: {} } }),
  "an assessment that fails": (input) => ({ ...input, assessment: null }),
  "a target that does not answer": (input) => ({
    ...input,
    targets: input.targets.map((one) => ({ ...one, state: null, problem: "no answer" })),
  }),
};

const guardrails = (input: RuleInput, change: Partial<RuleInput["policy"]["guardrails"]>) => ({
  ...input.policy,
  guardrails: { ...input.policy.guardrails, ...change },
});

const RANK: Readonly<Record<GuardrailVerdict, number>> = { allow: 0, require_approval: 1, deny: 2 };
/** Taking evidence away can hide a reason to deny, but must never lead to an automatic act. */
const HIDES_EVIDENCE = new Set(["an assessment that fails", "a target that does not answer"]);

describe("review of any input", () => {
  it.each(Object.entries(RESTRICTIONS))("is never laxer after %s", (name, restrict) => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const before = review(input).verdict;
        const after = review(restrict(input)).verdict;
        if (HIDES_EVIDENCE.has(name)) expect(after).not.toBe("allow");
        else expect(RANK[after]).toBeGreaterThanOrEqual(RANK[before]);
      }),
    );
  });

  it("S1: allows only a plan equal to the fresh one, under a firing automatic condition", () => {
    let allowed = 0;
    fc.assert(
      fc.property(anyInput, (input) => {
        if (review(input).verdict !== "allow") return;
        allowed += 1;
        expect(input.plan.targets).toEqual(input.assessment?.targets);
        expect(input.assessment?.conditions.some(({ state }) => state === "firing")).toBe(true);
        expect(input.policy.mode).toBe("auto");
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(10);
  });

  it("S3: never allows a plan with a service under never_auto_rollback, wherever it stands in it", () => {
    fc.assert(
      fc.property(anyInput, fc.nat(), (input, at) => {
        const targets = input.plan.targets.filter(({ service }) => service !== "billing-service");
        targets.splice(at % (targets.length + 1), 0, targetOf({ name: "billing-service" }));
        const plan = { ...input.plan, targets };
        expect(review({ ...input, plan, assessment: assessmentOf({ targets }) }).verdict).not.toBe("allow");
      }),
    );
  });

  it.each(RULES)("is never laxer for the rule $name", (rule) => {
    const others = RULES.filter((one) => one !== rule);
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(RANK[review(input).verdict]).toBeGreaterThanOrEqual(RANK[reviewWith(others, input).verdict]);
      }),
      { numRuns: 30 },
    );
  });

  it("is the strictest of what was said", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { verdict, rules } = review(input);
        expect(verdict).toBe(strictest(rules.map((one) => one.verdict)));
      }),
    );
  });

  it("is the same for the same input", () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        expect(review(input)).toEqual(review(structuredClone(input)));
      }),
    );
  });
});
