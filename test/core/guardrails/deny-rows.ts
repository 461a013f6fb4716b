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
import { forTargets, type Row, standing, withoutEnvironment } from "./rule-situations.ts";

const application = { kind: "Application", namespace: "argocd", name: "shop" };
const openIntent = (target: Target) => intentOf({ target, finishedAt: null, result: null, reservedAt: NOW - MINUTE });

/** Situations in which nobody may act, approved or not. */
export const DENY: readonly Row[] = [
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
    "a pause holds for a homoglyph of the name",
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
    "a homoglyph of an allowed namespace is not allowed",
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
    "no executor is configured for the action",
    inputOf({ targets: [{ target: targetOf(), state: null, problem: "none", executable: false }] }),
    "executable",
    "deny",
    "nothing here carries out kubectl_rollout_undo",
  ],
  [
    "S6: a plan whose incident is closed, approved or not",
    inputOf({ store: { incident: "closed" } }),
    "outside-incident",
    "deny",
    "propose it again outside any incident",
  ],
  ["S4: an edited plan", inputOf({ contentHash: "another" }), "unchanged-plan", "deny", "edited"],
  [
    "S4: a plan that a person rejected",
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
    "alice rejected this plan at 13:59:00 UTC: «we are mending it»",
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
    "S6: a target that somebody else is changing",
    inputOf({ targets: standing(targetOf(), "v2", "7", { changedBy: "zoe" }) }),
    "stale",
    "deny",
    "is being changed by zoe",
  ],
  [
    "S6: a change of the target that somebody started after onset",
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
    "is the one that is there now",
  ],
  [
    "the target's own system reports an obstacle",
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
  [
    "S5: another plan's act on the application that deploys the target has no result yet",
    inputOf({
      policy: policyOf({ services: { checkout: serviceOf({ argocdApplication: "shop" }) } }),
      store: {
        busy: [openIntent(targetOf({ service: "cart", action: "argocd_sync_to_previous", object: application }))],
      },
    }),
    "target-busy",
    "deny",
    "plan plan-of-cart has acted on Application argocd/shop",
  ],
  [
    "S2: one of a plan's two targets has an act of another plan without a result",
    forTargets([targetOf(), targetOf({ name: "cart" })], {
      store: { busy: [intentOf({ name: "cart", finishedAt: null, result: null, reservedAt: NOW - MINUTE })] },
    }),
    "target-busy",
    "deny",
    "plan plan-of-cart has acted on Deployment production/cart since 13:59:00 UTC",
  ],
];
