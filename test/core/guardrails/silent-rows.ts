import {
  assessmentOf,
  changeOf,
  DAY,
  flagOf,
  HOUR,
  inputOf,
  intentOf,
  MINUTE,
  NOW,
  policyOf,
  serviceOf,
  targetOf,
} from "./rule-inputs.ts";
import { five, forTargets, type Silent, standing, step, three } from "./rule-situations.ts";

/** Situations that are near to trouble and are none. */
export const SILENT: readonly Silent[] = [
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
    inputOf({ store: { automatic: [0, 1].map((position) => intentOf({ name: "checkout", position })) } }),
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
  [
    "few affected services, as the step that looks for them found",
    inputOf({
      policy: policyOf({
        chain: [
          step({
            requireHumanApprovalIf: {
              text: "affected_services > 3",
              holds: ({ affected_services }) => ({ holds: affected_services !== 2, because: "it is not two" }),
            },
          }),
        ],
      }),
      assessment: assessmentOf({
        answers: { check_affected_services: { services: ["checkout", "web"], origin: "checkout" } },
      }),
    }),
    "human-approval",
  ],
];
