import type { Rival } from "../../../core/guardrails/rivals.ts";
import { flagOf, HOUR, inputOf, intentOf, MINUTE, NOW, policyOf, targetOf } from "./rule-inputs.ts";
import { forTargets, type Row, type Silent } from "./rule-situations.ts";

/** A plan of a worse incident that waits: one undo of each of these services. */
const rival = (names: readonly string[], change: Partial<Rival> = {}): Rival => ({
  planId: "plan-worse",
  incidentId: "incident-worse",
  service: names[0] ?? "cart",
  level: "critical",
  targets: names.map((name) => targetOf({ name })),
  expiresAt: NOW + 10 * MINUTE,
  ...change,
});
const usedUp = (count: number) =>
  Array.from({ length: count }, (_, index) => intentOf({ name: `other-${index}`, reservedAt: NOW - 30 * MINUTE }));
const twoOf = ["cart", "search"] as const;
const flags = {
  targets: [flagOf({ service: "cart", object: { kind: "Flag", namespace: "default", name: "new-basket" } })],
};
const dailyOf = (limit: number | null, hourly: number | null = null) =>
  policyOf({
    allowedActions: policyOf().allowedActions.map((one) => ({ ...one, maxRollbacksPerHour: hourly })),
    guardrails: { ...policyOf().guardrails, maxAutoRollbacksPerDay: limit },
  });
const restingOf = (cooldownScope: "service" | "global", cooldownMs = 10 * MINUTE) =>
  policyOf({ guardrails: { ...policyOf().guardrails, cooldownScope, cooldownMs } });

const staging = targetOf({ name: "staged", object: { kind: "Deployment", namespace: "staging", name: "staged" } });
/** Three rollbacks an hour in production, five in staging, and nothing else that is limited. */
const twoBudgets = policyOf({
  allowedActions: [
    ...policyOf().allowedActions,
    {
      ...{ type: "kubectl_rollout_undo", namespaces: ["staging"], applications: null, environments: null },
      ...{ requireApproval: false, maxRollbacksPerHour: 5 },
    },
  ],
  guardrails: { ...policyOf().guardrails, maxAutoRollbacksPerDay: null },
});

const ask = "require_approval";

export const WORST_FIRST: readonly Row[] = [
  [
    "the whole budget of the hour, where a worse plan waits for as much",
    inputOf({ policy: dailyOf(null, 1), rivals: [rival(["cart"])] }),
    "worst-first",
    ask,
    "it waits for 1 of the 1 left",
  ],
  [
    "what is left of the smallest budget of those that the plan's objects are under, where a worse plan waits for some",
    forTargets([targetOf(), staging], { policy: twoBudgets, rivals: [rival(["cart"])], store: { used: usedUp(1) } }),
    "worst-first",
    ask,
    "it waits for 1 of the 2 left",
  ],
  [
    "what two of three worse plans need of one budget",
    inputOf({
      rivals: [
        rival(["cart"]),
        rival(["mail"], { planId: "plan-2", targets: [flagOf({ service: "mail" })] }),
        rival(["search"], { planId: "plan-3" }),
      ],
      policy: dailyOf(null, 3),
      store: { used: usedUp(1) },
    }),
    "worst-first",
    ask,
    "(cart, impact critical) goes first, until 14:10:00 UTC at the latest: it waits for 1 of the 2 left, of kubectl_rollout_undo rollbacks this hour; plan-3",
  ],
  [
    "a cooldown of one of the services of a worse plan",
    inputOf({ policy: restingOf("service"), rivals: [rival(["cart", "checkout"])] }),
    "worst-first",
    ask,
    "would rest for 10m",
  ],
  [
    "a cooldown of the last of several targets, which would keep a worse plan waiting",
    forTargets([targetOf({ name: "mail" }), targetOf()], {
      policy: restingOf("service"),
      rivals: [rival(["checkout"])],
    }),
    "worst-first",
    ask,
    "would rest for 10m",
  ],
  [
    "the last rollback of the hour, which the plan of a worse incident waits for",
    inputOf({ rivals: [rival(["cart"])], store: { used: usedUp(2) } }),
    "worst-first",
    ask,
    "plan-worse of the worse incident incident-worse (cart, impact critical) goes first, until 14:10:00 UTC at the latest: it waits for 1 of the 1 left, of kubectl_rollout_undo rollbacks this hour",
  ],
  [
    "two worse plans that together need what is left of the hour",
    inputOf({ rivals: [rival(["cart"]), rival(["search"], { planId: "plan-2" })], store: { used: usedUp(1) } }),
    "worst-first",
    ask,
    "plan-2 of the worse incident",
  ],
  [
    "a worse plan that needs more than is left now: the rest is reserved for it",
    inputOf({ rivals: [rival(twoOf)], store: { used: usedUp(2) } }),
    "worst-first",
    ask,
    "it waits for 2 of the 1 left",
  ],
  [
    "the last automatic rollback of the day, which a worse plan of another action waits for",
    inputOf({ policy: dailyOf(3), rivals: [rival(["cart"], flags)], store: { used: usedUp(2) } }),
    "worst-first",
    ask,
    "it waits for 1 of the 1 left, of automatic rollbacks today",
  ],
  [
    "a cooldown between any two, which would keep a worse plan waiting",
    inputOf({ policy: restingOf("global"), rivals: [rival(["cart"])] }),
    "worst-first",
    ask,
    "it waits to run, and would rest for 10m after this one",
  ],
  [
    "a cooldown of the same service, which would keep a worse plan waiting",
    inputOf({ policy: restingOf("service"), rivals: [rival(["checkout"], { targets: [flagOf()] })] }),
    "worst-first",
    ask,
    "would rest for 10m",
  ],
  [
    "a cooldown of the same object under another service's name, which would keep a worse plan waiting",
    inputOf({
      policy: restingOf("service"),
      rivals: [rival(["web"], { targets: [targetOf({ service: "web" })] })],
    }),
    "worst-first",
    ask,
    "would rest for 10m",
  ],
];

export const WORST_FIRST_SILENT: readonly Silent[] = [
  [
    "a budget in which enough is left for a worse plan too",
    inputOf({ rivals: [rival(["cart"])], store: { used: usedUp(1) } }),
    "worst-first",
  ],
  [
    "a budget that is used up: its own rule says so",
    inputOf({ rivals: [rival(["cart"])], store: { used: usedUp(3) } }),
    "worst-first",
  ],
  [
    "a worse plan that is larger than the whole budget, and so needs a person",
    inputOf({ policy: dailyOf(null, 1), rivals: [rival(twoOf)] }),
    "worst-first",
  ],
  [
    "a worse plan of an action with a budget of its own",
    inputOf({ policy: dailyOf(null, 1), rivals: [rival(["cart"], flags)] }),
    "worst-first",
  ],
  [
    "a worse plan where nothing is limited",
    inputOf({ policy: dailyOf(null), rivals: [rival(["cart"])] }),
    "worst-first",
  ],
  [
    "what was used just an hour ago",
    inputOf({
      policy: dailyOf(null, 2),
      rivals: [rival(["cart"])],
      store: { used: [intentOf({ name: "other", reservedAt: NOW - HOUR })] },
    }),
    "worst-first",
  ],
  [
    "what was used just a day ago",
    inputOf({
      policy: dailyOf(2),
      rivals: [rival(["cart"])],
      store: { used: [intentOf({ name: "other", reservedAt: NOW - 24 * HOUR })] },
    }),
    "worst-first",
  ],
  [
    "a worse plan where no rollback begins a cooldown",
    inputOf({ policy: restingOf("global", 0), rivals: [rival(["cart"])] }),
    "worst-first",
  ],
  [
    "a worse plan of another service, where the cooldown is by service",
    inputOf({ policy: restingOf("service"), rivals: [rival(["cart"])] }),
    "worst-first",
  ],
];
