import type { Assessment, CaseFile } from "../../../core/model/assessment.ts";
import type { DecisionAction } from "../../../core/model/decision.ts";
import type { ConditionState, Finding } from "../../../core/model/finding.ts";
import type { Target } from "../../../core/model/plan.ts";
import { unheardChanges } from "../../../core/model/unheard.ts";
import { changeOf, firing, MINUTE } from "../../core/guardrails/rule-inputs.ts";

/** How the policy's condition of a trouble stands. `silent`: its source gives no samples. */
export type ConditionKind = "firing" | "pending" | "none" | "silent";

/** One thing that is wrong with the scripted system, and what the core would say of it. */
export interface Trouble {
  readonly services: readonly string[];
  readonly since: number;
  readonly condition: ConditionKind;
  readonly policy: string;
  readonly action: DecisionAction;
  readonly needsPerson: readonly string[];
  readonly targets: readonly Target[];
  readonly culprit: { readonly changeId: string; readonly probability: number } | null;
  readonly noChangeProbability: number;
  /** When a pending condition will fire. */
  readonly firesAt: number;
  readonly worse: boolean;
  /** Why Kubernetes does not say which changes there were, if it does not. */
  readonly unheard: readonly string[];
}

/** Errors of one service since a minute, caused by the deploy that the target takes back; a policy's condition fires. */
export function troubleOf(target: Target, since: number, change: Partial<Trouble> = {}): Trouble {
  return {
    services: [target.service],
    since,
    condition: "firing",
    policy: "auto_rollback",
    action: "rollback",
    needsPerson: [],
    targets: [target],
    culprit: { changeId: target.changeId, probability: 0.97 },
    noChangeProbability: 0.02,
    firesAt: since + 3 * MINUTE,
    worse: true,
    unheard: [],
    ...change,
  };
}

const onsetOf = (at: number) => ({ at, earliest: at - 15_000, latest: at + 15_000 });

const findingOf = (service: string, trouble: Trouble): Finding => ({
  detector: "regression",
  service,
  metric: "error_rate",
  labels: {},
  unit: "ratio",
  verdict: trouble.condition === "silent" ? "unknown" : "worse",
  onset: trouble.condition === "silent" ? null : onsetOf(trouble.since),
  detectedAt: trouble.since + 30_000,
  baseline: 0.001,
  current: 0.3,
  samples: 10,
  strength: 40,
  because: `error_rate of ${service} went from 0.1 % to 30 %`,
});

const conditionOf = (service: string, trouble: Trouble): ConditionState =>
  firing({
    policy: trouble.policy,
    service,
    state: trouble.condition === "silent" ? "unknown" : trouble.condition === "firing" ? "firing" : "pending",
    since: trouble.condition === "silent" ? null : trouble.since,
    firesAt: trouble.condition === "pending" ? trouble.firesAt : null,
  });

const findingsOf = (trouble: Trouble): readonly Finding[] =>
  trouble.worse ? trouble.services.map((service) => findingOf(service, trouble)) : [];

const conditionsOf = (trouble: Trouble): readonly ConditionState[] =>
  trouble.condition === "none" ? [] : [conditionOf(trouble.services[0] ?? "", trouble)];

/** Everything that the scripted sources say at a moment. */
export function caseFileOf(at: number, troubles: readonly Trouble[], healthy: readonly string[]): CaseFile {
  const silent = new Set(
    troubles.filter(({ condition }) => condition === "silent").flatMap(({ services }) => services),
  );
  const measured = [...new Set([...healthy, ...troubles.flatMap(({ services }) => services)])];
  return {
    at,
    series: measured.map((service) => ({
      service,
      metric: "error_rate",
      unit: "ratio",
      worse: "up",
      labels: {},
      startAt: at - 45_000,
      stepMs: 15_000,
      values: silent.has(service) ? [null, null, null, null] : [0.001, 0.001, 0.001, 0.001],
    })),
    findings: troubles.flatMap(findingsOf),
    conditions: troubles.flatMap(conditionsOf),
    changes: troubles.flatMap(({ targets }) => targets.map((target) => changeOf(target))),
    topology: null,
    logs: [],
    spans: [],
    flags: [],
    rollouts: [],
    alerts: [],
    gaps: [...new Set(troubles.flatMap(({ unheard }) => unheard))].map((because) => ({
      of: "changes",
      how: "unanswered",
      source: "kubernetes",
      what: "changes",
      because,
    })),
  };
}

/** What the core says of the troubles that touch these services; nothing wrong where none does. */
export function assessmentOf(caseFile: CaseFile, troubles: readonly Trouble[], focus: readonly string[]): Assessment {
  const met = troubles.filter(({ services }) => services.some((name) => focus.includes(name)));
  const trouble = met.find(({ condition }) => condition !== "silent") ?? null;
  const services = [...new Set([...focus, ...met.flatMap((one) => one.services)])].sort();
  const acts = trouble?.action === "rollback" || trouble?.action === "feature_flag_disable";
  const affected = met.length === 0 ? services : [...new Set(met.flatMap((one) => one.services))].sort();
  return {
    at: caseFile.at,
    services,
    findings: caseFile.findings.filter(({ service }) => services.includes(service)),
    conditions: caseFile.conditions.filter(({ service }) => services.includes(service)),
    changes: (trouble?.targets ?? []).map((target) => changeOf(target)),
    answers: {
      ...(trouble === null
        ? {}
        : {
            identify_recent_deployments: {
              onset: onsetOf(trouble.since),
              windowMs: 30 * MINUTE,
              widened: null,
              changeIds: trouble.targets.map(({ changeId }) => changeId),
            },
            correlate_timing: {
              ranking: {
                candidates:
                  trouble.culprit === null
                    ? []
                    : [{ ...trouble.culprit, service: trouble.services[0] ?? "", reasons: [] }],
                noChangeProbability: trouble.noChangeProbability,
                noChangeReasons: [],
                rootCauses: [],
              },
              threshold: 0.8,
              reached: (trouble.culprit?.probability ?? 0) >= 0.8,
            },
          }),
      check_affected_services: { services: affected, origin: trouble?.services[0] ?? null },
    },
    decision: {
      action: trouble?.action ?? "no_action",
      service: trouble?.services[0] ?? focus[0] ?? "",
      culprit: trouble?.culprit ?? null,
      changeIds: acts ? (trouble?.targets ?? []).map(({ changeId }) => changeId) : [],
      automatic: trouble?.condition === "firing" && trouble.policy === "auto_rollback",
      needsPerson: [...(trouble?.needsPerson ?? [])],
      why: [trouble === null ? "nothing is wrong" : "errors rose right after the deploy"],
      hotfix: null,
      decidedAt: caseFile.at,
    },
    targets: acts ? [...(trouble?.targets ?? [])] : [],
    obstacles: acts && trouble?.targets.length === 0 ? ["no workload of the service is known"] : [],
    baselines: services.map((service) => ({
      service,
      metric: "error_rate",
      unit: "ratio",
      center: 0.001,
      upper: 0.01,
      lower: 0,
      requestRate: 40,
    })),
    unverified: [],
    unheard: unheardChanges(caseFile.gaps),
  };
}

/** A degradation that no change is the culprit for, and that nobody is told of. */
export const blameless = {
  action: "no_action",
  condition: "none",
  culprit: null,
  noChangeProbability: 0.9,
  targets: [],
} as const;

/** Something about checkout that differs from before, since a moment. */
export const oddFinding = (at: number): Finding => ({
  detector: "change-point",
  service: "checkout",
  metric: "memory_usage",
  labels: {},
  unit: "bytes",
  verdict: "worse",
  onset: { at, earliest: at, latest: at },
  detectedAt: at,
  baseline: 1,
  current: 2,
  samples: 9,
  strength: 30,
  because: "pods that were replaced differ from those before them",
});
