import type { Decision } from "../../core/model/decision.ts";
import type { Incident } from "../../core/model/incident.ts";
import { at, culprit, incident } from "./incidents.ts";

/** The same incident as it might have gone. */
const decision: Decision = {
  action: "no_action",
  service: "checkout",
  culprit: null,
  changeIds: [],
  automatic: false,
  needsPerson: [],
  why: ["No change explains it: calls to bank fail at every version."],
  hotfix: null,
  decidedAt: at("14:12:15"),
};
const quiet = { plan: null, gate: null, recovery: null, conditions: [] };
const early = incident.timeline.slice(0, 2);

export const external: Incident = {
  ...incident,
  ...quiet,
  decision,
  ranking: {
    candidates: [{ changeId: culprit.id, service: "checkout", probability: 0.04, reasons: [] }],
    noChangeProbability: 0.96,
    noChangeReasons: [
      { name: "external", logOdds: 3.9, sentence: "Only calls to bank fail, at v1.4.1 and v1.4.2 alike." },
    ],
    rootCauses: [{ service: "bank", score: 0.9 }],
  },
  timeline: early.map((one) => (one.event === "decided" ? { ...one, detail: "no_action" } : one)),
  outcome: "no-action",
};

export const held: Incident = {
  ...incident,
  recovery: null,
  timeline: early,
  gate: {
    planId: "plan-4",
    outcome: "held",
    review: {
      verdict: "require_approval",
      rules: [
        { rule: "never-auto-rollback", verdict: "require_approval", reason: "checkout is under never_auto_rollback." },
      ],
    },
    results: [],
    executedAt: null,
  },
  outcome: "expired",
};

export const unmended: Incident = {
  ...incident,
  timeline: incident.timeline.slice(0, 4),
  recovery: {
    verdict: "not-recovered",
    at: at("14:23:16"),
    checks: [
      {
        service: "checkout",
        metric: "error_rate",
        verdict: "not-recovered",
        because: "31 % over the last 2m, outside its baseline of at most 0.6 %.",
      },
    ],
  },
  outcome: "not-recovered",
};

export const unknown: Incident = {
  ...unmended,
  recovery: {
    verdict: "unknown",
    at: at("14:23:16"),
    checks: [
      { service: "checkout", metric: "error_rate", verdict: "unknown", because: "12 requests are too few to say." },
    ],
  },
  outcome: "unknown",
};

export const hotfix: Incident = {
  ...incident,
  ...quiet,
  decision: {
    ...decision,
    action: "hotfix_recommendation",
    culprit: { changeId: culprit.id, probability: 0.93 },
    why: ["v1.4.2 ran a migration that v1.4.1 cannot read."],
    hotfix: {
      changeId: culprit.id,
      commitRange: "4be1d02..9f2c1e7",
      suspects: ["src/cart/total.ts", "NullPointerException at CartTotal"],
      owner: "dana",
      whyNoRollback: "the migration of carts is not reversible.",
      mitigation: "switch flag new-totals off.",
      check: "error_rate of checkout below 0.6 % for 5m.",
    },
  },
  timeline: early,
  outcome: "recommended",
};

const flagChange = {
  ...culprit,
  id: "flag-new-totals-2",
  kind: "flag",
  flag: "new-totals",
  from: "off",
  to: "on",
} as const;
const { diff: _diff, commit: _commit, ...flagOnly } = flagChange;
const flagTarget = {
  action: "feature_flag_disable",
  service: "checkout",
  changeId: flagOnly.id,
  object: { kind: "Flag", namespace: "default", name: "new-totals" },
  environment: "production",
  expected: { version: "12", revision: "on" },
  restore: { version: "12", revision: "off" },
} as const;

export const flag: Incident = {
  ...incident,
  changes: [flagOnly],
  decision: {
    ...decision,
    action: "feature_flag_disable",
    culprit: { changeId: flagOnly.id, probability: 0.95 },
    changeIds: [flagOnly.id],
    automatic: true,
    why: ["flag-new-totals-2 is the culprit with probability 0.95."],
  },
  ranking: {
    candidates: [{ changeId: flagOnly.id, service: "checkout", probability: 0.95, reasons: [] }],
    noChangeProbability: 0.05,
    noChangeReasons: [],
    rootCauses: [],
  },
  plan: incident.plan && { ...incident.plan, targets: [flagTarget] },
  gate: incident.gate && {
    ...incident.gate,
    results: [
      { target: flagTarget, result: "done", detail: "flag new-totals is off", at: at("14:13:16"), warnings: [] },
    ],
  },
};

/** What an attacker would write wherever text comes from outside. */
export const HOSTILE =
  "</code></td><script>alert(1)</script> | x |\n\n# Owned\n```\n[click](javascript:alert(1)) ![i](http://evil.example/p.png) " +
  "`` **bold** <img src=x onerror=alert(1)> password=hunter2secret \u202e\u001b[31m http://evil.example &lt;b&gt; $& $1";

export const hostile: Incident = {
  ...unmended,
  service: HOSTILE,
  affectedServices: [HOSTILE],
  changes: incident.changes.map((change) => ({
    ...change,
    message: HOSTILE,
    author: HOSTILE,
    commit: HOSTILE,
    from: HOSTILE,
    to: HOSTILE,
    diff: { files: 1, insertions: 1, deletions: 1, paths: [HOSTILE] },
  })),
  findings: incident.findings.map((finding) => ({ ...finding, service: HOSTILE, metric: HOSTILE, because: HOSTILE })),
  conditions: incident.conditions.map((condition) => ({
    ...condition,
    text: HOSTILE,
    service: HOSTILE,
    policy: HOSTILE,
  })),
  ranking: incident.ranking && {
    ...incident.ranking,
    candidates: incident.ranking.candidates.map((one) => ({
      ...one,
      service: HOSTILE,
      reasons: [{ name: HOSTILE, logOdds: 1, sentence: HOSTILE }],
    })),
  },
  impact: incident.impact && {
    ...incident.impact,
    sentences: [HOSTILE],
    unknown: [HOSTILE],
    routes: [{ service: HOSTILE, route: HOSTILE, failedShare: 0.4 }],
  },
  gate: incident.gate && {
    ...incident.gate,
    review: { verdict: "allow", rules: [{ rule: HOSTILE, verdict: "allow", reason: HOSTILE }] },
    results: incident.gate.results.map((one) => ({ ...one, detail: HOSTILE, warnings: [HOSTILE] })),
  },
  timeline: [{ at: at("14:11:45"), event: HOSTILE, detail: HOSTILE }],
  unverified: [HOSTILE],
};
