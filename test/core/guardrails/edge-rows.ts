import type { Finding } from "../../../core/model/finding.ts";
import { freezeOf, ranked, syncing, twoPersons, yes } from "./limit-rows.ts";
import {
  assessmentOf,
  changeOf,
  firing,
  flagOf,
  inputOf,
  intentOf,
  MINUTE,
  NOW,
  policyOf,
  targetOf,
} from "./rule-inputs.ts";
import { forTargets, type Row, type Silent, standing, step } from "./rule-situations.ts";

const ask = "require_approval";
const both = [targetOf(), targetOf({ name: "cart" })];
const allowed = (change: { readonly requireApproval?: boolean; readonly maxRollbacksPerHour?: number }) => ({
  type: "kubectl_rollout_undo" as const,
  namespaces: null,
  applications: null,
  environments: null,
  requireApproval: false,
  maxRollbacksPerHour: null,
  ...change,
});
const twoAllowances = (...changes: readonly Parameters<typeof allowed>[0][]) =>
  policyOf({ allowedActions: changes.map(allowed) });

const finding = (change: Partial<Finding>): Finding => ({
  detector: "regression",
  service: "checkout",
  metric: "p99_latency",
  labels: {},
  unit: "ms",
  verdict: "worse",
  onset: null,
  detectedAt: NOW,
  baseline: 100,
  current: 900,
  samples: 20,
  strength: 9,
  because: "900 ms instead of 100 ms",
  ...change,
});
const kinds = (evidenceKinds: number, assessment: Parameters<typeof assessmentOf>[0]) =>
  inputOf({ policy: policyOf({ evidenceKinds }), assessment: assessmentOf(assessment) });

/** Somebody's change of this kind, two minutes ago; nothing that names an object unless a row adds one. */
function meanwhile(more: Partial<ReturnType<typeof changeOf>>) {
  const { workload: _, ...change } = changeOf(targetOf(), {
    id: "another",
    author: "zoe",
    startedAt: NOW - 2 * MINUTE,
  });
  return { ...change, ...more };
}
const since = (change: ReturnType<typeof meanwhile>, target = targetOf()) =>
  forTargets([target], { assessment: assessmentOf({ targets: [target], changes: [changeOf(target), change] }) });
/** The flag's switch is told once more for a service that reads it too; `blamed`: what the gate's own decision takes back. */
const toldAgain = (...blamed: readonly string[]) => {
  const target = flagOf();
  const again = meanwhile({ id: "told-again", kind: "flag", flag: "new-cart", service: "pay" });
  const assessment = assessmentOf({ targets: [target], changes: [changeOf(target), again] });
  const decision = { ...assessment.decision, changeIds: [...blamed] };
  return forTargets([target], { assessment: { ...assessment, decision } });
};
/** When and to what the plan's own change of the flag put it, had it begun after the trouble did. */
const { to, startedAt } = changeOf(flagOf(), { startedAt: NOW - 2 * MINUTE });
const switched = { to, startedAt };
const sameMoment = (change: ReturnType<typeof meanwhile>) =>
  forTargets([flagOf()], {
    assessment: assessmentOf({ targets: [flagOf()], changes: [changeOf(flagOf(), { startedAt }), change] }),
  });
const anotherDeploy = (startedAt: number) => changeOf(targetOf(), { id: "deploy-fix", author: "zoe", startedAt });

const migration = (service: string) => ({
  ...meanwhile({ id: "add-column", kind: "migration", service, startedAt: NOW - 60 * MINUTE }),
  finishedAt: NOW - 50 * MINUTE,
});

/**
 * Exactly at the end of a limit, one of several things, the half of a condition: what only a small slip in a rule would
 * decide otherwise. With the other tables these notice every such slip (`slips.test.ts`).
 */
export const EDGES: readonly Row[] = [
  [
    "S12: of two thresholds the higher one counts",
    inputOf({
      policy: policyOf({ chain: [step({ confidenceThreshold: 0.98 }), step({ confidenceThreshold: 0.5 })] }),
    }),
    "confidence",
    ask,
    "below the confidence threshold of 98 %",
  ],
  [
    "S9: an earlier rollback that nobody knows the result of yet",
    inputOf({ store: { automatic: [intentOf({ name: "checkout", result: null, finishedAt: null })] } }),
    "escalation",
    ask,
    "has no known result",
  ],
  [
    "S9: an earlier rollback whose result could not be found out",
    inputOf({
      store: {
        automatic: [
          intentOf({
            name: "checkout",
            result: { target: targetOf(), result: "unknown", detail: "no answer", at: NOW, warnings: [] },
          }),
        ],
      },
    }),
    "escalation",
    ask,
    "has no known result",
  ],
  [
    "a metric that is no worse is no second kind of evidence",
    kinds(2, { findings: [finding({ verdict: "no-worse" })] }),
    "evidence-kinds",
    ask,
    "only errors speaks",
  ],
  [
    "logs that point neither way are no second kind of evidence",
    kinds(2, { answers: ranked("logs", 0) }),
    "evidence-kinds",
    ask,
    "only errors speaks",
  ],
  [
    "each kind of evidence is counted once, by what it measures",
    kinds(9, {
      conditions: [
        "error_rate",
        "health_check_failures",
        "request_rate",
        "cpu_usage",
        "memory_usage",
        "queue_depth",
        "p99_latency",
        "p50_latency",
      ].map((metric) => firing({ metric })),
    }),
    "evidence-kinds",
    ask,
    "only errors, health, traffic, resources, queue_depth, latency speak",
  ],
  [
    "a freeze of the second of two services",
    forTargets(both, { policy: policyOf({ freezeWindows: [freezeOf({ services: ["cart"] })] }) }),
    "freeze",
    ask,
    "launch",
  ],
  [
    "S1: a plan of which nothing is left to do, under a decision that names nothing else",
    inputOf({ targets: [] }),
    "fresh-decision",
    ask,
    "not the one",
  ],
  [
    "a migration of a service that the file does not describe",
    since(migration("mail"), targetOf({ name: "mail" })),
    "one-way-migration",
    ask,
    "migration add-column of mail",
  ],
  [
    "a version to restore that came at the very moment when the migration ended",
    inputOf({
      assessment: assessmentOf({
        changes: [
          migration("checkout"),
          changeOf(targetOf(), { id: "d1", from: "v0", to: "v1", startedAt: NOW - 50 * MINUTE }),
          changeOf(targetOf()),
        ],
      }),
    }),
    "one-way-migration",
    ask,
    "add-column",
  ],
  [
    "S3: a flag of no service, of which its own system says that it reaches nothing",
    forTargets([flagOf()], {
      policy: policyOf({ services: {} }),
      targets: standing(flagOf(), "41", "on", { reaches: [] }),
    }),
    "reach",
    ask,
    "no service of the file names the flag new-cart",
  ],
  [
    "an action that one of two entries lets through and the other wants a person for",
    inputOf({ policy: twoAllowances({}, { requireApproval: true }) }),
    "require-approval",
    ask,
    "requires approval",
  ],
  [
    "S2: of two hourly budgets the smaller one counts",
    inputOf({
      policy: twoAllowances({ maxRollbacksPerHour: 3 }, { maxRollbacksPerHour: 1 }),
      store: { used: [intentOf()] },
    }),
    "rollbacks-per-hour",
    ask,
    "1 of 1 kubectl_rollout_undo rollbacks",
  ],
  [
    "S4: an approval at its last moment is none",
    inputOf({
      policy: twoPersons({ services: ["checkout"] }),
      store: { approvals: [{ ...yes("alice"), expiresAt: NOW }] },
    }),
    "two-persons",
    ask,
    "nobody has approved yet",
  ],
  [
    "S4: an approval of another plan is none of this one",
    inputOf({ policy: twoPersons({ services: ["checkout"] }), store: { approvals: [yes("alice", "another-hash")] } }),
    "two-persons",
    ask,
    "nobody has approved yet",
  ],
  [
    "S4: a no is no approval",
    inputOf({
      policy: twoPersons({ services: ["checkout"] }),
      store: { approvals: [{ ...yes("alice"), answer: "reject" }] },
    }),
    "two-persons",
    ask,
    "nobody has approved yet",
  ],
  [
    "S3: an environment with a letter of another script",
    forTargets([flagOf({ environment: "prоduction" })]),
    "unusual-name",
    ask,
    "pr<U+043E>duction",
  ],
];

export const EDGES_DENY: readonly Row[] = [
  [
    "S14: a pause of the second of two services",
    forTargets(both, { store: { pauses: [{ scope: "cart", by: "zoe", at: NOW }] } }),
    "paused",
    "deny",
    "cart is paused",
  ],
  [
    "S6: a change of the target after the culprit, where nobody knows when the degradation began",
    inputOf({
      assessment: assessmentOf({ answers: {}, changes: [changeOf(targetOf()), anotherDeploy(NOW - 2 * MINUTE)] }),
    }),
    "stale",
    "deny",
    "zoe began change deploy-fix",
  ],
  [
    "S6: somebody else at the same flag after the onset",
    since(meanwhile({ kind: "flag", flag: "new-cart" }), flagOf()),
    "stale",
    "deny",
    "zoe began change another",
  ],
  [
    "S6: a switch of the flag after the onset that is not blamed with the plan's",
    toldAgain("flag-new-cart"),
    "stale",
    "deny",
    "zoe began change told-again",
  ],
  [
    "S6: the flag was put elsewhere in the moment in which the plan's own change began",
    sameMoment(meanwhile({ kind: "flag", flag: "new-cart", ...switched, to: "half" })),
    "stale",
    "deny",
    "zoe began change another",
  ],
  [
    "S6: a switch of the flag after the onset, where the plan's own is blamed no more",
    toldAgain("told-again"),
    "stale",
    "deny",
    "zoe began change told-again",
  ],
  [
    "S6: a new configuration of the service after the onset",
    since(meanwhile({ kind: "config" })),
    "stale",
    "deny",
    "zoe began change another",
  ],
];

/** What a rule says without holding anything. */
export const TOLD: readonly Row[] = [
  [
    "an application that changes another service of the file too",
    syncing(["checkout", "cart-api"]),
    "aftermath",
    "allow",
    "Application argocd/shop: cart change with it",
  ],
];

export const EDGES_SILENT: readonly Silent[] = [
  ["a namespace that the file names", inputOf(), "allowed-actions"],
  ["names of plain letters", inputOf(), "unusual-name"],
  ["a clock that is a minute behind", inputOf({ store: { skewMs: MINUTE } }), "clock"],
  ["an assessment of two minutes ago", inputOf({ assessment: assessmentOf({ at: NOW - 2 * MINUTE }) }), "evidence"],
  [
    "two kinds of evidence: errors, and a latency that is worse",
    kinds(2, { findings: [finding({})] }),
    "evidence-kinds",
  ],
  [
    "a good version that has a revision and no name",
    forTargets([targetOf({ restore: { version: "", revision: "6" } })]),
    "known-good",
  ],
  [
    "the same version with an older configuration",
    forTargets([targetOf({ restore: { version: "v2", revision: "6" } })]),
    "known-good",
  ],
  [
    "a flag goes off whatever the schema is",
    since({ ...migration("checkout"), startedAt: NOW - 2 * MINUTE, finishedAt: NOW - MINUTE }, flagOf()),
    "one-way-migration",
  ],
  [
    "rollbacks before a change that proved healthy",
    inputOf({
      store: {
        automatic: [1, 2].map((n) => intentOf({ name: "checkout", planId: `p${n}`, reservedAt: NOW - MINUTE })),
        healthy: new Map([["Checkout", NOW - MINUTE]]),
      },
    }),
    "escalation",
  ],
  [
    "a target that is restored already, and that somebody changed since",
    inputOf({
      targets: standing(targetOf(), "v1", "8"),
      assessment: assessmentOf({ changes: [changeOf(targetOf()), anotherDeploy(NOW - 2 * MINUTE)] }),
    }),
    "stale",
  ],
  [
    "a change that began at the very moment when the trouble did",
    inputOf({ assessment: assessmentOf({ changes: [changeOf(targetOf()), anotherDeploy(NOW - 8 * MINUTE)] }) }),
    "stale",
  ],
  [
    "another object of the service that somebody changed since",
    since(meanwhile({ workload: { kind: "Deployment", namespace: "production", name: "checkout-worker" } })),
    "stale",
  ],
  ["a new configuration of another service", since(meanwhile({ kind: "config", service: "cart" })), "stale"],
  [
    "another flag that somebody switched since",
    since(meanwhile({ kind: "flag", flag: "dark-mode" }), flagOf()),
    "stale",
  ],
  [
    "one switch of a flag, told for another service a moment later and blamed with the plan's",
    toldAgain("flag-new-cart", "told-again"),
    "stale",
  ],
  [
    "one switch of a flag, told in the same moment for another service",
    sameMoment(meanwhile({ kind: "flag", flag: "new-cart", service: "pay", ...switched })),
    "stale",
  ],
  ["a flag called like the workload", since(meanwhile({ kind: "flag", flag: "checkout" })), "stale"],
  ["a flag of the service that the log does not name", since(meanwhile({ kind: "flag" })), "stale"],
  ["a flag's plan and a new configuration of its service", since(meanwhile({ kind: "config" }), flagOf()), "stale"],
];
