import type { Change } from "../../core/model/change.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Series } from "../../core/model/signal.ts";

/** A whole incident for tests of memory and postmortem: checkout v1.4.2 failed, was rolled back, and recovered. */
export const at = (clock: string) => Date.parse(`2026-03-02T${clock}Z`);

export const culprit: Change = {
  id: "deploy-checkout-7",
  kind: "deploy",
  service: "checkout",
  from: "v1.4.1",
  to: "v1.4.2",
  startedAt: at("14:09:40"),
  finishedAt: at("14:10:20"),
  source: "kubernetes",
  reversible: true,
  author: "dana",
  commit: "9f2c1e7",
  message: "Speed up the cart total",
  diff: { files: 3, insertions: 41, deletions: 12, paths: ["src/cart/total.ts"] },
};

export const bystander: Change = {
  ...culprit,
  id: "deploy-search-3",
  service: "search",
  from: "v2.8.0",
  to: "v2.9.0",
  startedAt: at("13:58:00"),
  finishedAt: at("13:59:10"),
  author: "eli",
  message: "Index new fields",
};

const target = {
  action: "kubectl_rollout_undo",
  service: "checkout",
  changeId: culprit.id,
  object: { kind: "Deployment", namespace: "production", name: "checkout" },
  expected: { version: "v1.4.2", revision: "7" },
  restore: { version: "v1.4.1", revision: "6" },
} as const;

export const incident: Incident = {
  id: "inc-20260302-141100-checkout",
  stage: "closed",
  service: "checkout",
  detectedAt: at("14:11:45"),
  onset: { at: at("14:10:05"), earliest: at("14:09:50"), latest: at("14:10:35") },
  findings: [
    {
      detector: "threshold",
      service: "checkout",
      metric: "error_rate",
      labels: { signature: "NullPointerException at CartTotal" },
      unit: "ratio",
      verdict: "worse",
      onset: { at: at("14:10:05"), earliest: at("14:09:50"), latest: at("14:10:35") },
      detectedAt: at("14:11:45"),
      baseline: 0.0021,
      current: 0.3124,
      samples: 24,
      strength: 61.3,
      because: "error_rate rose from 0.21 % to 31.2 % over 24 samples",
    },
    {
      detector: "regression",
      service: "gateway",
      metric: "error_rate",
      labels: {},
      unit: "ratio",
      verdict: "worse",
      onset: { at: at("14:10:10"), earliest: at("14:09:50"), latest: at("14:10:50") },
      detectedAt: at("14:12:15"),
      baseline: 0.0012,
      current: 0.091,
      samples: 22,
      strength: 33.1,
      because: "error_rate rose from 0.12 % to 9.1 % over 22 samples",
    },
  ],
  conditions: [
    {
      policy: "auto_rollback",
      condition: 0,
      text: "error_rate > 0.05 for 3m",
      service: "checkout",
      metric: "error_rate",
      state: "firing",
      since: at("14:10:15"),
      firesAt: null,
      value: 0.3124,
      because: "above 0.05 since 14:10:15",
    },
  ],
  affectedServices: ["checkout", "gateway"],
  changes: [bystander, culprit],
  ranking: {
    candidates: [
      {
        changeId: culprit.id,
        service: "checkout",
        probability: 0.9712,
        reasons: [
          { name: "timing", logOdds: 3.4, sentence: "The onset lies 25s after this deploy began." },
          { name: "versions", logOdds: 4.1, sentence: "v1.4.2 fails 62 % of its requests, v1.4.1 0.2 %." },
        ],
      },
      {
        changeId: bystander.id,
        service: "search",
        probability: 0.0088,
        reasons: [
          { name: "timing", logOdds: -1.2, sentence: "It began 12m before the onset." },
          { name: "place", logOdds: -2.3, sentence: "search itself is no worse, and checkout does not call it." },
        ],
      },
    ],
    noChangeProbability: 0.02,
    noChangeReasons: [{ name: "prior", logOdds: -1.1, sentence: "A step this sharp seldom comes without a change." }],
    rootCauses: [
      { service: "checkout", score: 0.93 },
      { service: "gateway", score: 0.07 },
    ],
  },
  impact: {
    level: "high",
    affectedServices: ["checkout", "gateway"],
    failedShare: 0.3124,
    failedUserShare: null,
    failedRequestsPerSecond: 14.2,
    revenuePerMinute: 380,
    routes: [{ service: "checkout", route: "POST /checkout", failedShare: 0.41 }],
    unknown: [],
    sentences: ["31.2 % of checkout's requests fail."],
  },
  decision: {
    action: "rollback",
    service: "checkout",
    culprit: { changeId: culprit.id, probability: 0.9712 },
    changeIds: [culprit.id],
    automatic: true,
    needsPerson: [],
    why: ["deploy-checkout-7 is the culprit with probability 0.97, above the threshold of 0.8."],
    hotfix: null,
    decidedAt: at("14:12:15"),
  },
  plan: {
    id: "plan-4",
    hash: "ab".repeat(32),
    incidentId: "inc-20260302-141100-checkout",
    targets: [target],
    reason: "deploy-checkout-7 broke checkout",
    proposedBy: "watch",
    createdAt: at("14:12:16"),
    expiresAt: at("14:27:16"),
  },
  gate: {
    planId: "plan-4",
    outcome: "executed",
    review: {
      verdict: "allow",
      rules: [
        { rule: "policy", verdict: "allow", reason: "auto_rollback fires: error_rate > 0.05 for 3m." },
        { rule: "budget", verdict: "allow", reason: "1 of 5 automatic rollbacks of the day." },
      ],
    },
    results: [
      {
        target,
        result: "done",
        detail: "Deployment production/checkout is at revision 8 (the template of 6).",
        at: at("14:13:16"),
        warnings: ["last-applied-configuration still names v1.4.2: the next kubectl apply brings it back."],
      },
    ],
    executedAt: at("14:13:16"),
  },
  baselines: [
    {
      service: "checkout",
      metric: "error_rate",
      unit: "ratio",
      center: 0.0021,
      upper: 0.006,
      lower: 0,
      requestRate: 45.6,
    },
  ],
  recovery: {
    verdict: "recovered",
    at: at("14:17:46"),
    checks: [
      {
        service: "checkout",
        metric: "error_rate",
        verdict: "recovered",
        because: "0.19 % over the last 2m, inside its baseline of at most 0.6 %, with 5,480 requests.",
      },
    ],
  },
  outcome: "recovered",
  closedAt: at("14:17:46"),
  timeline: [
    { at: at("14:11:45"), event: "detected", detail: "error_rate of checkout is worse" },
    { at: at("14:12:15"), event: "decided", detail: "rollback of deploy-checkout-7" },
    { at: at("14:13:15"), event: "policy-fired", detail: "error_rate > 0.05 for 3m" },
    { at: at("14:13:16"), event: "executed", detail: "Deployment production/checkout back to v1.4.1" },
    { at: at("14:17:46"), event: "recovered", detail: "error_rate of checkout is inside its baseline" },
  ],
  unverified: ["Revenue that was lost before detection could not be measured."],
  unheard: [],
  usage: { inputTokens: 0, outputTokens: 0, toolCalls: 6 },
};

/** checkout's error rate around the incident, one sample each 15 s. */
export const series: readonly Series[] = [
  {
    service: "checkout",
    metric: "error_rate",
    unit: "ratio",
    worse: "up",
    labels: {},
    startAt: at("13:55:00"),
    stepMs: 15_000,
    values: Array.from({ length: 96 }, (_, index) => {
      const now = at("13:55:00") + index * 15_000;
      if (now === at("14:05:00")) return null;
      return now >= at("14:10:15") && now < at("14:13:45") ? 0.3 + (index % 3) / 100 : 0.002 + (index % 4) / 4000;
    }),
  },
];
