import type { FreezeWindow } from "../../../core/config/config.ts";
import { compileFreeze } from "../../../core/config/freeze-window.ts";
import {
  assessmentOf,
  changeOf,
  flagOf,
  HOUR,
  inputOf,
  MINUTE,
  NOW,
  planOf,
  policyOf,
  serviceOf,
  targetOf,
} from "./rule-inputs.ts";
import { emptyRanking, forTargets, type Row, type Silent, standing } from "./rule-situations.ts";

/** Opens each Monday at 13:00 UTC for four hours; `NOW` is a Monday, 14:00 UTC. */
export const freezeOf = (change: Partial<FreezeWindow> = {}): FreezeWindow => ({
  name: "launch",
  cron: "0 13 * * 1",
  timeZone: "UTC",
  durationMs: 4 * HOUR,
  services: null,
  rollbacks: "approve",
  openAt: compileFreeze("0 13 * * 1", "UTC", 4 * HOUR),
  ...change,
});
const frozen = (change: Partial<FreezeWindow> = {}) => policyOf({ freezeWindows: [freezeOf(change)] });
const closed = { openAt: compileFreeze("0 9 * * 1", "UTC", 4 * HOUR) };

const names = ["cart", "search", "mail", "checkout"];
const four = names.map((name) => targetOf({ name }));
const blast = (change: Partial<ReturnType<typeof policyOf>["blastRadius"]>) =>
  policyOf({ blastRadius: { ...policyOf().blastRadius, ...change } });
const traffic = new Map([
  ["checkout", 30],
  ["cart", 70],
]);

const application = targetOf({
  action: "argocd_sync_to_previous",
  object: { kind: "Application", namespace: "argocd", name: "shop" },
});
const shop = {
  checkout: serviceOf({ argocdApplication: "shop" }),
  cart: serviceOf({ workload: { kind: "Deployment", name: "cart-api" } }),
};
export const syncing = (reaches: readonly string[] | undefined, services = shop): ReturnType<typeof inputOf> =>
  inputOf({
    plan: planOf({ targets: [application] }),
    policy: policyOf({ services }),
    targets: standing(application, "v2", "7", reaches === undefined ? {} : { reaches }),
  });

const migrated = (startedAt: number, more: readonly ReturnType<typeof changeOf>[] = []) =>
  inputOf({
    assessment: assessmentOf({
      changes: [
        ...more,
        changeOf(targetOf(), {
          id: "add-column",
          kind: "migration",
          startedAt,
          finishedAt: startedAt + MINUTE,
        }),
        changeOf(targetOf()),
      ],
    }),
  });

export const twoPersons = (change: Partial<ReturnType<typeof policyOf>["approval"]["twoPersons"][number]>) =>
  policyOf({
    approval: {
      ...policyOf().approval,
      twoPersons: [{ services: null, actions: null, criticality: null, ...change }],
    },
  });
export const yes = (by: string, planHash = "hash-of-plan-1") => ({
  planId: "plan-1",
  planHash,
  answer: "approve" as const,
  by,
  reason: "",
  at: NOW - MINUTE,
  expiresAt: NOW + MINUTE,
  wallExpiresAt: NOW + MINUTE,
});
export const ranked = (name: string, logOdds = 2) => ({
  correlate_timing: {
    ranking: {
      ...emptyRanking(),
      candidates: [
        {
          changeId: "deploy-checkout",
          service: "checkout",
          probability: 0.97,
          reasons: [{ name, logOdds, sentence: "it points at the change" }],
        },
      ],
    },
    threshold: 0.8,
    reached: true,
  },
});

const ask = "require_approval";

export const LIMITS: readonly Row[] = [
  [
    "a freeze that requires approval for rollbacks",
    inputOf({ policy: frozen() }),
    "freeze",
    ask,
    "launch holds until 17:00:00 UTC; each rollback in it needs a person",
  ],
  [
    "a freeze of one service that the plan touches",
    inputOf({ policy: frozen({ services: ["checkout"] }) }),
    "freeze",
    ask,
    "launch",
  ],
  [
    "a freeze of a service whose name is a homoglyph of the plan's",
    inputOf({ policy: frozen({ services: ["сheckout"] }) }),
    "freeze",
    ask,
    "launch",
  ],
  [
    "a plan that touches more services than the limit",
    forTargets(four, { policy: blast({ services: 3 }) }),
    "blast-radius",
    ask,
    "touches 4 services (cart, search, mail, checkout), more than 3",
  ],
  [
    "an application that reaches more services than the limit",
    {
      ...syncing(["cart-api"]),
      policy: { ...syncing([]).policy, blastRadius: { services: 1, trafficShare: null, replicas: null } },
    },
    "blast-radius",
    ask,
    "touches 2 services",
  ],
  [
    "a plan whose services serve too much of the traffic",
    inputOf({ policy: blast({ trafficShare: 0.25 }), traffic }),
    "blast-radius",
    ask,
    "checkout serve 30.0 % of all requests, more than 25.0 %",
  ],
  [
    "S9: a share of traffic that is not measured",
    inputOf({ policy: blast({ trafficShare: 0.25 }) }),
    "blast-radius",
    ask,
    "the share of traffic of checkout is not known",
  ],
  [
    "S9: a share of traffic where the service itself is missing",
    inputOf({ policy: blast({ trafficShare: 0.25 }), traffic: new Map([["cart", 1]]) }),
    "blast-radius",
    ask,
    "of checkout is not known",
  ],
  [
    "S9: a share of no traffic at all",
    inputOf({ policy: blast({ trafficShare: 0.25 }), traffic: new Map([["checkout", 0]]) }),
    "blast-radius",
    ask,
    "is not known",
  ],
  [
    "a plan that replaces too many pods",
    inputOf({ policy: blast({ replicas: 2 }) }),
    "blast-radius",
    ask,
    "replaces 3 pods, more than 2",
  ],
  [
    "S9: a number of pods that could not be read",
    inputOf({ policy: blast({ replicas: 9 }), targets: standing(targetOf(), "v2", "7", { capacity: undefined }) }),
    "blast-radius",
    ask,
    "the number of pods of Deployment production/checkout is not known",
  ],
  [
    "an old version with less memory",
    inputOf({
      targets: standing(targetOf(), "v2", "7", {
        capacity: { replicas: 3, less: ["the memory limit of app is 256Mi, not 1Gi"] },
      }),
    }),
    "capacity",
    ask,
    "v1 of Deployment production/checkout has less than the present version: «the memory limit of app is 256Mi, not 1Gi»",
  ],
  [
    "S9: an old version whose resources are unknown",
    inputOf({ targets: standing(targetOf(), "v2", "7", { capacity: undefined }) }),
    "capacity",
    ask,
    "what v1 of Deployment production/checkout may use is not known",
  ],
  [
    "a schema that was migrated before the deploy",
    migrated(NOW - 15 * MINUTE),
    "one-way-migration",
    ask,
    "migration add-column of checkout ran at 13:45:00 UTC, after v1 of checkout came",
  ],
  ["a schema that was migrated after the deploy", migrated(NOW - 5 * MINUTE), "one-way-migration", ask, "add-column"],
  [
    "one kind of evidence where two have to agree",
    inputOf({ policy: policyOf({ evidenceKinds: 2 }) }),
    "evidence-kinds",
    ask,
    "2 kinds of evidence have to agree, and only errors speaks against the change",
  ],
  [
    "no evidence at all",
    inputOf({ assessment: assessmentOf({ conditions: [] }) }),
    "evidence-kinds",
    ask,
    "none speaks",
  ],
  [
    "S3: a flag that no service of the file names",
    forTargets([flagOf()], { policy: policyOf({ services: {} }) }),
    "reach",
    ask,
    "no service of the file names the flag new-cart: put it under services.<service>.flags",
  ],
  [
    "S3: an application that changes a protected service",
    syncing(["cart", "billing-service"]),
    "reach",
    ask,
    "reaches billing-service, which is listed under never_auto_rollback",
  ],
  [
    "S3: an application that changes the workload of a protected service",
    syncing(["bill-api"], {
      ...shop,
      "billing-service": serviceOf({ workload: { kind: "Deployment", name: "bill-api" } }),
    } as never),
    "reach",
    ask,
    "reaches billing-service",
  ],
  [
    "S3: an application that changes what the file does not describe",
    syncing(["cart", "legacy-cron"]),
    "reach",
    ask,
    "reaches legacy-cron, which no service of the file describes",
  ],
  [
    "S3: an application that contains an object with a protected name",
    {
      ...syncing(["cart-api"]),
      targets: standing(application, "v2", "7", { reaches: ["cart-api"], touches: ["prices", "billing-service"] }),
    },
    "reach",
    ask,
    "reaches billing-service, which is listed under never_auto_rollback",
  ],
  [
    "S9: an application whose reach is unknown",
    syncing(undefined),
    "reach",
    ask,
    "what a sync of Application argocd/shop would change is not known",
  ],
  [
    "S3: an application that no service of the file names",
    syncing(["checkout"], { checkout: serviceOf(), cart: serviceOf() } as never),
    "reach",
    ask,
    "no service of the file names Application argocd/shop",
  ],
  [
    "a plan for two people that has no approval",
    inputOf({ policy: twoPersons({ services: ["checkout"] }) }),
    "two-persons",
    ask,
    "kubectl_rollout_undo of checkout (medium importance) needs two people; nobody has approved yet",
  ],
  [
    "a plan for two people that one has approved twice",
    inputOf({
      policy: twoPersons({ actions: ["kubectl_rollout_undo"] }),
      store: { approvals: [yes("alice"), yes("alice")] },
    }),
    "two-persons",
    ask,
    "approved by alice",
  ],
  [
    "S9: two people for important services, and one that the file does not describe",
    forTargets([targetOf({ name: "cart" })], { policy: twoPersons({ criticality: "high" }) }),
    "two-persons",
    ask,
    "cart (critical importance)",
  ],
];

export const LIMITS_DENY: readonly Row[] = [
  [
    "a freeze that denies rollbacks",
    inputOf({ policy: frozen({ rollbacks: "deny" }) }),
    "freeze",
    "deny",
    "it denies rollbacks too, and only a change of freeze_windows in the file lifts it",
  ],
  [
    "a freeze that denies rollbacks beside one that allows them",
    inputOf({
      policy: policyOf({
        freezeWindows: [freezeOf({ rollbacks: "allow" }), freezeOf({ name: "sale", rollbacks: "deny" })],
      }),
    }),
    "freeze",
    "deny",
    "sale",
  ],
];

export const LIMITS_SILENT: readonly Silent[] = [
  ["a freeze that is over", inputOf({ policy: frozen(closed) }), "freeze"],
  ["a freeze of another service", inputOf({ policy: frozen({ services: ["cart"] }) }), "freeze"],
  ["as many services as people called small", forTargets(four, { policy: blast({ services: 4 }) }), "blast-radius"],
  ["a share of traffic just at its limit", inputOf({ policy: blast({ trafficShare: 0.3 }), traffic }), "blast-radius"],
  ["a flag has no pods", forTargets([flagOf()], { policy: blast({ replicas: 1 }) }), "blast-radius"],
  [
    "a flag has no capacity",
    inputOf({
      plan: planOf({ targets: [flagOf()] }),
      targets: standing(flagOf(), "41", "on", { capacity: undefined }),
    }),
    "capacity",
  ],
  [
    "a migration before the version to restore was deployed",
    migrated(NOW - 60 * MINUTE, [
      changeOf(targetOf(), { id: "d1", from: "v0", to: "v1", startedAt: NOW - 40 * MINUTE }),
    ]),
    "one-way-migration",
  ],
  [
    "two kinds of evidence: errors, and logs that point at the change",
    inputOf({ policy: policyOf({ evidenceKinds: 2 }), assessment: assessmentOf({ answers: ranked("logs") }) }),
    "evidence-kinds",
  ],
  ["a flag of a service of the file", forTargets([flagOf()]), "reach"],
  ["an application that changes described services alone", syncing(["checkout", "cart-api"]), "reach"],
  [
    "two people for critical services, and this one is not",
    inputOf({ policy: twoPersons({ criticality: "high" }) }),
    "two-persons",
  ],
];
