import type { Assessment } from "../../../../core/model/assessment.ts";
import type { Change } from "../../../../core/model/change.ts";
import type { Finding } from "../../../../core/model/finding.ts";
import type { Target } from "../../../../core/model/plan.ts";
import { assessmentOf, changeOf, firing } from "../../../core/guardrails/rule-inputs.ts";
import { MINUTE, type Thing, type Trouble } from "./catalog.ts";
import { type PlannedTarget, type Situation, thingOf } from "./verdict.ts";

/** A planned target as the gate's own types spell it. */
export function targetOf({ thing, changeId, expected, restore }: PlannedTarget): Target {
  const { action, service } = thingOf(thing);
  return {
    action,
    service,
    changeId,
    object: objectOf(thingOf(thing)),
    ...(action === "feature_flag_disable" ? { environment: "production" } : {}),
    expected: { ...expected },
    restore: { ...restore },
  };
}

const KINDS = {
  kubectl_rollout_undo: "Deployment",
  feature_flag_disable: "Flag",
  argocd_sync_to_previous: "Application",
  database_migration_rollback: "Migration",
} as const;
export const objectOf = ({ action, place, name }: Thing) => ({ kind: KINDS[action], namespace: place, name });

/** What the gate's own assessment says in a situation; throws where it cannot be made. */
export function assessmentIn({ troubles, fresh }: Situation, at: number): Assessment {
  if (troubles.has("blind")) throw new Error("no source answers");
  const targets = fresh.map(targetOf);
  const first = targets[0];
  if (first === undefined) return assessmentOf({ at, targets: [], conditions: [], changes: [] });
  const base = assessmentOf({ at, targets });
  const named = troubles.has("other-order") ? targets.toReversed() : targets;
  return {
    ...base,
    at: troubles.has("old-assessment") ? at - 3 * MINUTE : at,
    targets: troubles.has("other-change") ? named.map((one) => ({ ...one, changeId: `other-${one.changeId}` })) : named,
    conditions: troubles.has("no-condition")
      ? []
      : base.services.map((service) =>
          firing({ service, ...(troubles.has("review-condition") ? { policy: "human_review" } : {}) }),
        ),
    findings: troubles.has("one-kind") ? [] : [slowness(first.service, at)],
    changes: changesIn(troubles, targets, first, at),
    answers: {
      identify_recent_deployments: {
        onset: { at: at - 8 * MINUTE, earliest: at - 9 * MINUTE, latest: at - 7 * MINUTE },
        windowMs: 30 * MINUTE,
        widened: null,
        changeIds: targets.map(({ changeId }) => changeId),
      },
    },
    decision: {
      ...base.decision,
      ...(troubles.has("decision-is-none") ? { action: "no_action" as const } : {}),
      automatic: !troubles.has("not-automatic"),
      culprit: troubles.has("no-culprit")
        ? null
        : { changeId: first.changeId, probability: troubles.has("doubt") ? 0.5 : 0.97 },
      needsPerson: troubles.has("wants-person") ? ["the schema owner has to look"] : [],
    },
  };
}

function changesIn(
  troubles: ReadonlySet<Trouble>,
  targets: readonly Target[],
  first: Target,
  at: number,
): readonly Change[] {
  const then = (minutes: number) => ({
    startedAt: at - minutes * MINUTE,
    finishedAt: at - minutes * MINUTE + MINUTE / 2,
  });
  const own = targets.map((target) =>
    changeOf(target, {
      ...then(10),
      ...(target === first && troubles.has("culprit-is-migration") ? { kind: "migration" } : {}),
      ...(target === first && troubles.has("own-rollback") ? { ownRollback: true } : {}),
    }),
  );
  const migration = (id: string, minutes: number): Change => {
    const { workload: _, flag: _flag, ...rest } = changeOf(first, { id, kind: "migration", ...then(minutes) });
    return rest;
  };
  const others: Change[] = [];
  if (troubles.has("one-way-migration")) others.push(migration("migration-between", 20));
  if (troubles.has("migration-before")) {
    others.push(migration("migration-before", 25));
    others.push(changeOf(first, { id: "the-good-deploy", to: first.restore.version, ...then(24) }));
  }
  if (troubles.has("someone-deployed")) {
    others.push(changeOf(first, { id: "zoe-deploys", author: "zoe", to: "v99", ...then(2) }));
  }
  return [...own, ...others];
}

const slowness = (service: string, at: number): Finding => ({
  detector: "regression",
  service,
  metric: "p99_latency",
  labels: {},
  unit: "ms",
  verdict: "worse",
  onset: null,
  detectedAt: at,
  baseline: 200,
  current: 2400,
  samples: 12,
  strength: 9,
  because: "2400 ms for 2m",
});
