import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { review } from "../../../core/guardrails/review.ts";
import type { RuleInput } from "../../../core/guardrails/rule.ts";
import { RULES } from "../../../core/guardrails/rules.ts";
import type { GuardrailVerdict, Target } from "../../../core/model/plan.ts";
import {
  assessmentOf,
  changeOf,
  DAY,
  firing,
  flagOf,
  HOUR,
  inputOf,
  intentOf,
  MINUTE,
  NOW,
  planOf,
  policyOf,
  serviceOf,
  targetOf,
} from "./rule-inputs.ts";

type Row = readonly [name: string, input: RuleInput, rule: string, verdict: GuardrailVerdict, says: string];
type Silent = readonly [name: string, input: RuleInput, rule: string];

const forTargets = (targets: readonly Target[], change: Parameters<typeof inputOf>[0] = {}): RuleInput =>
  inputOf({ plan: planOf({ targets: [...targets] }), ...change });

const guardrails = (change: Partial<ReturnType<typeof policyOf>["guardrails"]>) =>
  policyOf({ guardrails: { ...policyOf().guardrails, ...change } });

const standing = (target: Target, version: string, revision: string, more = {}): RuleInput["targets"] => [
  { target, state: { version, revision, obstacles: [], warnings: [], ...more }, problem: null, executable: true },
];

const withoutEnvironment = ({ environment: _, ...rest }: Target): Target => rest;

const migrationTarget = targetOf({ action: "database_migration_rollback", name: "orders-db" });
const three = ["cart", "search", "mail"].map((name, index) =>
  intentOf({ name, reservedAt: NOW - (50 - index * 10) * MINUTE }),
);
const five = ["a", "b", "c", "d", "e"].map((name, index) => intentOf({ name, reservedAt: NOW - (20 - index) * HOUR }));

const deny: readonly Row[] = [
  ["S7: observe executes nothing", inputOf({ policy: policyOf({ mode: "observe" }) }), "mode", "deny", "observe"],
  [
    "a service of its own in observe is not acted on where the rest is in auto",
    inputOf({ policy: policyOf({ services: { checkout: serviceOf({ mode: "observe" }) } }) }),
    "mode",
    "deny",
    "checkout",
  ],
  [
    "a plan cannot name another service to get out of observe: the object's own service counts",
    forTargets(
      [targetOf({ service: "web", object: { kind: "Deployment", namespace: "production", name: "pay-api" } })],
      {
        policy: policyOf({
          services: { pay: serviceOf({ mode: "observe", workload: { kind: "Deployment", name: "pay-api" } }) },
        }),
      },
    ),
    "mode",
    "deny",
    "observe",
  ],
  [
    "S14: all paused",
    inputOf({ store: { pauses: [{ scope: "*", by: "cli:zoe", at: NOW - HOUR }] } }),
    "paused",
    "deny",
    "everything is paused by cli:zoe since 13:00:00 UTC",
  ],
  [
    "a paused service",
    inputOf({ store: { pauses: [{ scope: "checkout", by: "zoe", at: NOW }] } }),
    "paused",
    "deny",
    "checkout is paused",
  ],
  [
    "a pause holds for a look-alike of the name",
    forTargets([targetOf({ name: "сheckout" })], { store: { pauses: [{ scope: "checkout", by: "zoe", at: NOW }] } }),
    "paused",
    "deny",
    "checkout is paused",
  ],
  [
    "another namespace is not allowed",
    forTargets([targetOf({ object: { kind: "Deployment", namespace: "staging", name: "checkout" } })]),
    "allowed-actions",
    "deny",
    "staging/checkout",
  ],
  [
    "a look-alike namespace is not allowed",
    forTargets([targetOf({ object: { kind: "Deployment", namespace: "prоduction", name: "checkout" } })]),
    "allowed-actions",
    "deny",
    "does not allow",
  ],
  [
    "an action that the file does not name is not allowed",
    inputOf({ policy: policyOf({ allowedActions: [] }) }),
    "allowed-actions",
    "deny",
    "kubectl_rollout_undo",
  ],
  [
    "a flag in another environment is not allowed",
    forTargets([flagOf({ environment: "staging" })]),
    "allowed-actions",
    "deny",
    "environment staging",
  ],
  [
    "a flag without an environment is not allowed where the file names environments",
    forTargets([withoutEnvironment(flagOf())]),
    "allowed-actions",
    "deny",
    "feature_flag_disable",
  ],
  [
    "nothing carries it out",
    inputOf({ targets: [{ target: targetOf(), state: null, problem: "none", executable: false }] }),
    "executable",
    "deny",
    "nothing here carries out kubectl_rollout_undo",
  ],
  ["S4: an edited plan", inputOf({ contentHash: "another" }), "unchanged-plan", "deny", "edited"],
  [
    "S4: a plan that someone rejected",
    inputOf({
      store: {
        approvals: [
          {
            planId: "plan-1",
            planHash: "hash-of-plan-1",
            answer: "reject",
            by: "alice",
            reason: "we are mending it",
            at: NOW - MINUTE,
            expiresAt: NOW + HOUR,
            wallExpiresAt: NOW + HOUR,
          },
        ],
      },
    }),
    "rejected",
    "deny",
    "alice rejected this plan at 13:59:00 UTC: we are mending it",
  ],
  [
    "S4: a plan at its last moment",
    inputOf({ plan: planOf({ expiresAt: NOW }) }),
    "expired-plan",
    "deny",
    "14:00:00 UTC",
  ],
  [
    "S6: a target at another version",
    inputOf({ targets: standing(targetOf(), "v3", "8") }),
    "stale",
    "deny",
    "is at v3 (revision 8), not at v2 (revision 7)",
  ],
  [
    "S6: the same version under another revision",
    inputOf({ targets: standing(targetOf(), "v2", "8") }),
    "stale",
    "deny",
    "revision 8",
  ],
  [
    "S6: a target that someone else is changing",
    inputOf({ targets: standing(targetOf(), "v2", "7", { changedBy: "zoe" }) }),
    "stale",
    "deny",
    "is being changed by zoe",
  ],
  [
    "S6: a change of the target that someone began after onset",
    inputOf({
      assessment: assessmentOf({
        changes: [
          changeOf(targetOf()),
          changeOf(targetOf(), { id: "deploy-fix", author: "zoe", startedAt: NOW - 2 * MINUTE }),
        ],
      }),
    }),
    "stale",
    "deny",
    "zoe began change deploy-fix of Deployment production/checkout at 13:58:00 UTC",
  ],
  [
    "no good version is known",
    forTargets([targetOf({ restore: { version: "", revision: "" } })]),
    "known-good",
    "deny",
    "no good version",
  ],
  [
    "the version to restore is the bad one",
    forTargets([targetOf({ restore: { version: "v2", revision: "7" } })]),
    "known-good",
    "deny",
    "is the one that stands there",
  ],
  [
    "the target's own system knows an obstacle",
    inputOf({ targets: standing(targetOf(), "v2", "7", { obstacles: ["the rollout is paused"] }) }),
    "known-good",
    "deny",
    "the rollout is paused",
  ],
  [
    "S2: another plan's act on the target has no result yet",
    inputOf({
      store: { busy: [intentOf({ name: "checkout", finishedAt: null, result: null, reservedAt: NOW - MINUTE })] },
    }),
    "target-busy",
    "deny",
    "plan plan-of-checkout has acted on Deployment production/checkout since 13:59:00 UTC",
  ],
];

const ask: readonly Row[] = [
  ["mode approve asks", inputOf({ policy: policyOf({ mode: "approve" }) }), "mode", "require_approval", "approve"],
  [
    "S3: a service under never_auto_rollback",
    forTargets([targetOf({ name: "billing-service" })]),
    "never-auto",
    "require_approval",
    "the service billing-service stands under never_auto_rollback",
  ],
  [
    "S3: its object under another service's name",
    forTargets([
      targetOf({ service: "web", object: { kind: "Deployment", namespace: "production", name: "billing-service" } }),
    ]),
    "never-auto",
    "require_approval",
    "the object billing-service",
  ],
  [
    "S3: its workload, which has another name",
    forTargets(
      [targetOf({ service: "web", object: { kind: "Deployment", namespace: "production", name: "bill-api" } })],
      {
        policy: policyOf({
          services: { "billing-service": serviceOf({ workload: { kind: "Deployment", name: "bill-api" } }) },
        }),
      },
    ),
    "never-auto",
    "require_approval",
    "billing-service",
  ],
  [
    "S3: its Argo CD application",
    forTargets(
      [
        targetOf({
          action: "argocd_sync_to_previous",
          service: "web",
          object: { kind: "Application", namespace: "argocd", name: "bill-app" },
        }),
      ],
      { policy: policyOf({ services: { "billing-service": serviceOf({ argocdApplication: "bill-app" }) } }) },
    ),
    "never-auto",
    "require_approval",
    "billing-service",
  ],
  [
    "S3: the owner of a flag",
    forTargets([flagOf()], {
      policy: policyOf({ services: { "billing-service": serviceOf({ flags: ["new-cart"] }) } }),
    }),
    "never-auto",
    "require_approval",
    "the flag owner billing-service",
  ],
  [
    "S3: the last of several targets",
    forTargets([targetOf(), targetOf({ name: "billing-service" })]),
    "never-auto",
    "require_approval",
    "billing-service",
  ],
  [
    "S3: a name drawn alike in Cyrillic",
    forTargets([targetOf({ name: "bіlling-service" })]),
    "never-auto",
    "require_approval",
    "resembles billing-service",
  ],
  [
    "S3: a name with digits for letters",
    forTargets([targetOf({ name: "bi11ing-service" })]),
    "never-auto",
    "require_approval",
    "resembles billing-service",
  ],
  [
    "S3: a name with an invisible character",
    forTargets([targetOf({ name: "billing\u200b-service" })]),
    "never-auto",
    "require_approval",
    "resembles billing-service",
  ],
  [
    "a name from a script that no table here knows",
    forTargets([targetOf({ name: "ᏴᏆᏞᏞ-service" })]),
    "unusual-name",
    "require_approval",
    "<U+13F4>",
  ],
  ["S3: a migration", forTargets([migrationTarget]), "migration", "require_approval", "always a person"],
  [
    "S3: a migration that is called a deploy",
    inputOf({ assessment: assessmentOf({ changes: [changeOf(targetOf(), { kind: "migration" })] }) }),
    "migration",
    "require_approval",
    "deploy-checkout",
  ],
  [
    "an action with require_approval",
    forTargets([migrationTarget]),
    "require-approval",
    "require_approval",
    "requires approval",
  ],
  [
    "S2: the hourly budget is used up, and it says when it is free",
    inputOf({ store: { used: three } }),
    "rollbacks-per-hour",
    "require_approval",
    "3 of 3 kubectl_rollout_undo rollbacks this hour used; next free at 14:10:00 UTC",
  ],
  [
    "S2: approved rollbacks count for the hour",
    inputOf({ store: { used: three.map((one) => ({ ...one, automatic: false })) } }),
    "rollbacks-per-hour",
    "require_approval",
    "3 of 3",
  ],
  [
    "S2: a plan larger than what is left is held whole",
    forTargets([targetOf({ name: "x" }), targetOf({ name: "y" })], { store: { used: three.slice(0, 2) } }),
    "rollbacks-per-hour",
    "require_approval",
    "2 of 3 kubectl_rollout_undo rollbacks this hour used; this plan needs 2, free at 14:10:00 UTC",
  ],
  [
    "S2: a plan larger than the whole budget never fits",
    forTargets(["w", "x", "y", "z"].map((name) => targetOf({ name }))),
    "rollbacks-per-hour",
    "require_approval",
    "more than the whole budget",
  ],
  [
    "S2: the daily budget of automatic rollbacks",
    inputOf({ store: { used: five } }),
    "auto-rollbacks-per-day",
    "require_approval",
    "5 of 5 automatic rollbacks today used; next free at 18:00:00 UTC",
  ],
  [
    "S2: a budget that is free again tomorrow says which day",
    inputOf({ store: { used: five.map((one) => ({ ...one, reservedAt: NOW - HOUR })) } }),
    "auto-rollbacks-per-day",
    "require_approval",
    "2026-01-06 13:00:00 UTC",
  ],
  [
    "cooldown of the service",
    inputOf({ store: { used: [intentOf({ name: "checkout", reservedAt: NOW - 4 * MINUTE })] } }),
    "cooldown",
    "require_approval",
    "checkout was taken back at 13:56:00 UTC; the cooldown of 10m ends at 14:06:00 UTC",
  ],
  [
    "cooldown counts from the end of a long rollback",
    inputOf({
      store: { used: [intentOf({ name: "checkout", reservedAt: NOW - 12 * MINUTE, finishedAt: NOW - 9 * MINUTE })] },
    }),
    "cooldown",
    "require_approval",
    "13:51:00 UTC",
  ],
  [
    "cooldown of the object under another service's name",
    inputOf({ store: { used: [intentOf({ target: targetOf({ service: "web" }), reservedAt: NOW - MINUTE })] } }),
    "cooldown",
    "require_approval",
    "cooldown",
  ],
  [
    "a global cooldown counts any service",
    inputOf({
      policy: guardrails({ cooldownScope: "global" }),
      store: { used: [intentOf({ name: "cart", reservedAt: NOW - MINUTE })] },
    }),
    "cooldown",
    "require_approval",
    "cart was taken back",
  ],
  [
    "the third automatic rollback in a row",
    inputOf({
      store: { streak: [1, 2].map((n) => intentOf({ name: "checkout", planId: `p${n}`, reservedAt: NOW - n * HOUR })) },
    }),
    "escalation",
    "require_approval",
    "checkout was taken back 2 times automatically",
  ],
  [
    "at once after one that did not bring recovery",
    inputOf({ store: { streak: [intentOf({ name: "checkout", recovery: "not-recovered" })] } }),
    "escalation",
    "require_approval",
    "did not bring recovery",
  ],
  [
    "S9: at once after one that nobody could verify",
    inputOf({ store: { streak: [intentOf({ name: "checkout", recovery: "unknown" })] } }),
    "escalation",
    "require_approval",
    "could not be verified",
  ],
  [
    "at once after one that failed, even where no number is set",
    inputOf({
      policy: guardrails({ escalateToHumanAfter: null }),
      store: {
        streak: [
          intentOf({
            name: "checkout",
            result: { target: targetOf(), result: "failed", detail: "422", at: NOW, warnings: [] },
          }),
        ],
      },
    }),
    "escalation",
    "require_approval",
    "failed",
  ],
  ["a clock that is wrong", inputOf({ store: { skewMs: HOUR } }), "clock", "require_approval", "1h ahead"],
  [
    "S9: no assessment",
    inputOf({ assessment: null }),
    "evidence",
    "require_approval",
    "could not make its own assessment",
  ],
  [
    "S9: a target that does not answer",
    inputOf({ targets: [{ target: targetOf(), state: null, problem: "no answer within 10000 ms", executable: true }] }),
    "evidence",
    "require_approval",
    "could not be read (no answer within 10000 ms)",
  ],
  [
    "S9: an old assessment",
    inputOf({ assessment: assessmentOf({ at: NOW - 10 * MINUTE }) }),
    "evidence",
    "require_approval",
    "not a fresh one",
  ],
  [
    "S1: a healthy service",
    inputOf({
      assessment: assessmentOf({
        targets: [],
        decision: { ...assessmentOf().decision, action: "no_action", culprit: null, why: ["nothing is wrong"] },
      }),
    }),
    "fresh-decision",
    "require_approval",
    "no_action: nothing is wrong",
  ],
  [
    "S1: another version to restore than the fresh decision's",
    inputOf({ assessment: assessmentOf({ targets: [targetOf({ restore: { version: "v0", revision: "5" } })] }) }),
    "fresh-decision",
    "require_approval",
    "not the one",
  ],
  [
    "S1: one target more than the fresh decision's",
    forTargets([targetOf(), targetOf({ name: "cart" })], { assessment: assessmentOf() }),
    "fresh-decision",
    "require_approval",
    "deploy-checkout of checkout",
  ],
  [
    "S1: one target less than the fresh decision's",
    inputOf({ assessment: assessmentOf({ targets: [targetOf(), targetOf({ name: "cart" })] }) }),
    "fresh-decision",
    "require_approval",
    "not the one",
  ],
  [
    "S1: the same targets in another order",
    forTargets([targetOf(), targetOf({ name: "cart" })], {
      assessment: assessmentOf({ targets: [targetOf({ name: "cart" }), targetOf()] }),
    }),
    "fresh-decision",
    "require_approval",
    "not the one",
  ],
  [
    "S1: a decision without an executable plan",
    inputOf({
      assessment: assessmentOf({ targets: [], decision: assessmentOf().decision, obstacles: ["no workload"] }),
    }),
    "fresh-decision",
    "require_approval",
    "no executable plan (no workload)",
  ],
  [
    "S1: no condition fires",
    inputOf({ assessment: assessmentOf({ conditions: [firing({ state: "pending" })] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition holds now",
  ],
  [
    "S1: only human_review fires",
    inputOf({
      assessment: assessmentOf({ conditions: [firing({ policy: "human_review", text: "error_rate > 0.02" })] }),
    }),
    "automatic-condition",
    "require_approval",
    "only human_review for checkout: error_rate > 0.02",
  ],
  [
    "S1: an automatic condition of a service that the assessment does not speak of",
    inputOf({ assessment: assessmentOf({ conditions: [firing({ service: "mail" })] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition",
  ],
  [
    "S1: a decision that calls itself automatic while no condition fires",
    inputOf({ assessment: assessmentOf({ conditions: [] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition",
  ],
  [
    "S9: an automatic condition that is unknown",
    inputOf({ assessment: assessmentOf({ conditions: [firing({ state: "unknown" })] }) }),
    "automatic-condition",
    "require_approval",
    "no automatic policy condition",
  ],
  [
    "S12: a probability below the configured threshold",
    inputOf({ policy: policyOf({ chain: [step({ confidenceThreshold: 0.98 })] }) }),
    "confidence",
    "require_approval",
    "0.970, below the confidence_threshold of 0.98",
  ],
  [
    "S12: a correlation that did not reach its threshold",
    inputOf({
      assessment: assessmentOf({
        answers: { correlate_timing: { ranking: emptyRanking(), threshold: 0.8, reached: false } },
      }),
    }),
    "confidence",
    "require_approval",
    "below",
  ],
  [
    "S9: no culprit",
    inputOf({ assessment: assessmentOf({ decision: { ...assessmentOf().decision, culprit: null } }) }),
    "confidence",
    "require_approval",
    "names no culprit",
  ],
  [
    "what the decision wants a person for",
    inputOf({
      assessment: assessmentOf({ decision: { ...assessmentOf().decision, needsPerson: ["impact is critical"] } }),
    }),
    "human-approval",
    "require_approval",
    "impact is critical",
  ],
  [
    "S9: an expression over a fact that cannot be computed",
    inputOf({
      policy: policyOf({
        chain: [
          step({
            requireHumanApprovalIf: {
              text: "business_impact > high",
              holds: ({ business_impact }) => ({ holds: business_impact === null, because: "it is unknown" }),
            },
          }),
        ],
      }),
    }),
    "human-approval",
    "require_approval",
    "business_impact > high holds: it is unknown",
  ],
  [
    "S13: the culprit is a rollback of our own",
    inputOf({ assessment: assessmentOf({ changes: [changeOf(targetOf(), { ownRollback: true })] }) }),
    "own-rollback",
    "require_approval",
    "is a rollback that unship did itself",
  ],
  [
    "S13: the target stands where an earlier plan of ours put it",
    inputOf({
      store: {
        lastActs: [
          intentOf({
            target: targetOf({ expected: { version: "v3", revision: "6" }, restore: { version: "v2", revision: "5" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "stands at v2 because plan plan-of-cart at 13:30:00 UTC restored it",
  ],
  [
    "S13: the version to restore is one that we took away",
    inputOf({
      store: {
        lastActs: [
          intentOf({
            target: targetOf({ expected: { version: "v1", revision: "5" }, restore: { version: "v0", revision: "4" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "v1 of Deployment production/checkout is what plan plan-of-cart",
  ],
];

const silent: readonly Silent[] = [
  [
    "a service in auto runs where the rest is in observe",
    inputOf({ policy: policyOf({ mode: "observe", services: { checkout: serviceOf({ mode: "auto" }) } }) }),
    "mode",
  ],
  [
    "a pause of another service does not hold",
    inputOf({ store: { pauses: [{ scope: "cart", by: "z", at: NOW }] } }),
    "paused",
  ],
  [
    "a star covers any application",
    forTargets([
      targetOf({ action: "argocd_sync_to_previous", object: { kind: "Application", namespace: "argocd", name: "x" } }),
    ]),
    "allowed-actions",
  ],
  ["a target that is restored already is not stale", inputOf({ targets: standing(targetOf(), "v1", "8") }), "stale"],
  [
    "the plan's own changes after onset do not make it stale",
    inputOf({ assessment: assessmentOf({ changes: [changeOf(targetOf(), { startedAt: NOW - MINUTE })] }) }),
    "stale",
  ],
  [
    "our own rollback after onset does not make it stale",
    inputOf({
      assessment: assessmentOf({ changes: [changeOf(targetOf(), { id: "own", startedAt: NOW, ownRollback: true })] }),
    }),
    "stale",
  ],
  [
    "a change of another object after onset does not make it stale",
    inputOf({ assessment: assessmentOf({ changes: [changeOf(targetOf({ name: "cart" }), { startedAt: NOW })] }) }),
    "stale",
  ],
  ["one unit of three is left", inputOf({ store: { used: three.slice(1) } }), "rollbacks-per-hour"],
  [
    "what was reserved an hour ago no longer counts",
    inputOf({ store: { used: three.map((one) => ({ ...one, reservedAt: NOW - HOUR })) } }),
    "rollbacks-per-hour",
  ],
  [
    "another action type has its own hourly budget",
    forTargets([flagOf()], { store: { used: three } }),
    "rollbacks-per-hour",
  ],
  [
    "approved rollbacks do not count for the day",
    inputOf({ store: { used: five.map((one) => ({ ...one, automatic: false })) } }),
    "auto-rollbacks-per-day",
  ],
  [
    "what was reserved a day ago no longer counts",
    inputOf({ store: { used: five.map((one) => ({ ...one, reservedAt: NOW - DAY })) } }),
    "auto-rollbacks-per-day",
  ],
  [
    "the cooldown is over at its end",
    inputOf({ store: { used: [intentOf({ name: "checkout", reservedAt: NOW - 10 * MINUTE })] } }),
    "cooldown",
  ],
  [
    "the cooldown is by service",
    inputOf({ store: { used: [intentOf({ name: "cart", reservedAt: NOW })] } }),
    "cooldown",
  ],
  [
    "two targets of one plan are one rollback in a row",
    inputOf({ store: { streak: [0, 1].map((position) => intentOf({ name: "checkout", position })) } }),
    "escalation",
  ],
  ["two names of one service are two services", forTargets([targetOf({ name: "billing-service-2" })]), "never-auto"],
  ["the equal plan", inputOf(), "fresh-decision"],
  [
    "a probability at the threshold",
    inputOf({ policy: policyOf({ chain: [step({ confidenceThreshold: 0.97 })] }) }),
    "confidence",
  ],
  ["a clock that is a second behind", inputOf({ store: { skewMs: 1000 } }), "clock"],
];

function step(change: Partial<RuleInput["policy"]["chain"][number]>): RuleInput["policy"]["chain"][number] {
  return {
    step: "recommend_action",
    action: "select",
    windowMs: null,
    choices: null,
    confidenceThreshold: null,
    requireHumanApprovalIf: null,
    ...change,
  };
}

function emptyRanking() {
  return { candidates: [], noChangeProbability: 1, noChangeReasons: [], rootCauses: [] };
}

const spoken = (input: RuleInput, rule: string) => review(input).rules.find((one) => one.rule === rule);

describe("rules", () => {
  it("allow the plan that the fresh decision names, and say under which condition", () => {
    expect(review(inputOf())).toEqual({
      verdict: "allow",
      rules: [
        {
          rule: "automatic-condition",
          verdict: "allow",
          reason: "auto_rollback holds for checkout: error_rate > 0.05 for 3m",
        },
      ],
    });
  });

  it.each(deny)("deny: %s", (_, input, rule, verdict, says) => {
    expect(spoken(input, rule)).toEqual({ rule, verdict, reason: expect.stringContaining(says) });
    expect(review(input).verdict).toBe("deny");
  });

  it.each(ask)("ask a person: %s", (_, input, rule, verdict, says) => {
    expect(spoken(input, rule)).toEqual({ rule, verdict, reason: expect.stringContaining(says) });
    expect(review(input).verdict).not.toBe("allow");
  });

  it.each(silent)("say nothing: %s", (_, input, rule) => {
    expect(spoken(input, rule)).toBeUndefined();
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
          reason: "Deployment production/checkout: the next apply brings v2 back",
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
    const covered = new Set([...deny, ...ask].map(([, , rule]) => rule));
    expect(RULES.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual(["aftermath"]);
  });
});
