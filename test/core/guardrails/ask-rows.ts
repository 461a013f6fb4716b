import type { Target } from "../../../core/model/plan.ts";
import {
  assessmentOf,
  changeOf,
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
import { five, forTargets, guardrails, migrationTarget, type Row, three } from "./rule-situations.ts";

const refusal = (targets: readonly Target[]) => ({
  planId: "plan-0",
  by: "alice",
  reason: "we are mending it",
  at: NOW - MINUTE,
  targets,
});

/** Situations in which limits, lists and people's wishes make a person agree first. */
export const ASK: readonly Row[] = [
  [
    "S4: another plan, of this incident or of a later one, for what a person rejected",
    inputOf({
      store: { refusals: [refusal([targetOf()])] },
    }),
    "rejected",
    "require_approval",
    "alice rejected plan plan-0, which would have undone the same, at 13:59:00 UTC: «we are mending it»",
  ],
  [
    "S4: a plan of which a person rejected a part",
    inputOf({
      plan: planOf({ targets: [targetOf(), targetOf({ name: "cart" })] }),
      store: { refusals: [refusal([targetOf({ name: "cart" })])] },
    }),
    "rejected",
    "require_approval",
    "alice rejected plan plan-0, which would have undone Deployment production/cart, at 13:59:00 UTC: «we are mending it»",
  ],
  [
    "mode approve requires approval",
    inputOf({ policy: policyOf({ mode: "approve" }) }),
    "mode",
    "require_approval",
    "approve",
  ],
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
    "S3: a Cyrillic homoglyph of the name",
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
    "a name in a script without a homoglyph table",
    forTargets([targetOf({ name: "ᏴᏆᏞᏞ-service" })]),
    "unusual-name",
    "require_approval",
    "<U+13F4>",
  ],
  ["S3: a migration", forTargets([migrationTarget]), "migration", "require_approval", "always a person"],
  [
    "S3: a migration that is declared as a deploy",
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
    "S2: the hourly budget is used up; the answer says when it is free",
    inputOf({ store: { used: three } }),
    "rollbacks-per-hour",
    "require_approval",
    "3 of 3 kubectl_rollout_undo rollbacks this hour used; next free at 14:10:00 UTC; used by plan-of-",
  ],
  [
    "S2: a budget of one that is used up is free again in time",
    inputOf({
      policy: policyOf({
        allowedActions: policyOf().allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: 1 })),
      }),
      store: { used: [intentOf({ name: "cart", reservedAt: NOW - 30 * MINUTE })] },
    }),
    "rollbacks-per-hour",
    "require_approval",
    "next free at 14:30:00 UTC; used by plan-of-cart (cart, incident incident-0) at 13:30:00 UTC",
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
    "S2: a budget that is free again tomorrow; the answer says the day",
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
    "checkout was rolled back at 13:56:00 UTC by plan-of-checkout of incident incident-0; the cooldown of 10m ends at 14:06:00 UTC",
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
    "cooldown of the last of several targets",
    forTargets([targetOf({ name: "search" }), targetOf()], {
      store: { used: [intentOf({ name: "checkout", reservedAt: NOW - MINUTE })] },
    }),
    "cooldown",
    "require_approval",
    "checkout was rolled back",
  ],
  [
    "a global cooldown counts any service",
    inputOf({
      policy: guardrails({ cooldownScope: "global" }),
      store: { used: [intentOf({ name: "cart", reservedAt: NOW - MINUTE })] },
    }),
    "cooldown",
    "require_approval",
    "cart was rolled back",
  ],
  [
    "the third automatic rollback in a row",
    inputOf({
      store: {
        automatic: [1, 2].map((n) => intentOf({ name: "checkout", planId: `p${n}`, reservedAt: NOW - n * HOUR })),
      },
    }),
    "escalation",
    "require_approval",
    "checkout was rolled back 2 times automatically",
  ],
  [
    "at once after one that did not bring recovery",
    inputOf({ store: { automatic: [intentOf({ name: "checkout", recovery: "not-recovered" })] } }),
    "escalation",
    "require_approval",
    "did not bring recovery",
  ],
  [
    "S9: at once after one that could not be verified",
    inputOf({ store: { automatic: [intentOf({ name: "checkout", recovery: "unknown" })] } }),
    "escalation",
    "require_approval",
    "could not be verified",
  ],
  [
    "at once after one that failed, even where no number is set",
    inputOf({
      policy: guardrails({ escalateToHumanAfter: null }),
      store: {
        automatic: [
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
];
