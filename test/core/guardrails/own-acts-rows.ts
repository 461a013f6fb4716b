import { targetKey } from "../../../core/guardrails/targets.ts";
import { assessmentOf, changeOf, inputOf, intentOf, MINUTE, NOW, targetOf } from "./rule-inputs.ts";
import { forTargets, type Row, type Silent } from "./rule-situations.ts";

const acted = (expected: string, restore: string, revision = "6", result: "done" | "failed" = "done") =>
  intentOf({
    target: targetOf({ expected: { version: expected, revision }, restore: { version: restore, revision: "2" } }),
    result: { target: targetOf(), result, detail: "", at: NOW, warnings: [] },
  });

/** What the rule own-rollback must notice among earlier acts of unship itself. */
export const OWN_ACTS: readonly Row[] = [
  [
    "S13: the culprit is a rollback by unship",
    inputOf({ assessment: assessmentOf({ changes: [changeOf(targetOf(), { ownRollback: true })] }) }),
    "own-rollback",
    "require_approval",
    "is a rollback that unship did itself",
  ],
  [
    "S13: the target is at the version that an earlier plan of unship restored",
    inputOf({
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v3", revision: "6" }, restore: { version: "v2", revision: "5" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "is at v2 because plan plan-of-cart at 13:30:00 UTC restored it",
  ],
  [
    "S13: the version to restore is one that unship rolled back",
    inputOf({
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v1", revision: "5" }, restore: { version: "v0", revision: "4" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "v1 of Deployment production/checkout is what plan plan-of-cart",
  ],
  [
    "S13: a version that an act before the last one rolled back",
    inputOf({
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v9", revision: "9" }, restore: { version: "v8", revision: "8" } }),
          }),
          intentOf({
            target: targetOf({ expected: { version: "v1", revision: "6" }, restore: { version: "v0", revision: "4" } }),
            planId: "plan-before",
          }),
        ],
        healthy: new Map([["checkout", NOW]]),
      },
    }),
    "own-rollback",
    "require_approval",
    "v1 of Deployment production/checkout is what plan plan-before",
  ],
  [
    "S13: a version that an act before the last one rolled back, deployed again since and not proved healthy",
    inputOf({
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v9", revision: "9" }, restore: { version: "v8", revision: "8" } }),
          }),
          intentOf({
            target: targetOf({ expected: { version: "v1", revision: "4" }, restore: { version: "v0", revision: "3" } }),
            planId: "plan-before",
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "v1 of Deployment production/checkout is what plan plan-before",
  ],
  [
    "S13: an act of unship before one that failed and may have written nothing",
    inputOf({
      store: {
        ownActs: [
          intentOf({ result: { target: targetOf(), result: "failed", detail: "403", at: NOW, warnings: [] } }),
          intentOf({
            target: targetOf({ expected: { version: "v3", revision: "6" }, restore: { version: "v2", revision: "5" } }),
          }),
        ].map((one) => ({ ...one, targetKey: targetKey(targetOf()) })),
      },
    }),
    "own-rollback",
    "require_approval",
    "is at v2 because plan plan-of-cart at 13:30:00 UTC restored it",
  ],
  [
    "S13: the configuration that unship's own act restored, under the same version",
    inputOf({
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v2", revision: "6" }, restore: { version: "v2", revision: "5" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "is at v2 because plan plan-of-cart",
  ],
  [
    "S9: a configuration for which no revision shows whether unship's own act restored it",
    forTargets([targetOf({ expected: { version: "v2", revision: "9f3c" } })], {
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v2", revision: "6" }, restore: { version: "v2", revision: "5" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "is at v2 because plan plan-of-cart",
  ],
  [
    "S13: the configuration that unship's own act rolled back, under the same version",
    inputOf({
      store: {
        ownActs: [
          intentOf({
            target: targetOf({ expected: { version: "v1", revision: "6" }, restore: { version: "v1", revision: "5" } }),
          }),
        ],
      },
    }),
    "own-rollback",
    "require_approval",
    "v1 (revision 6) of Deployment production/checkout is what plan plan-of-cart",
  ],
];

export const OWN_ACTS_SILENT: readonly Silent[] = [
  [
    "a newer configuration of a version that an earlier act of ours put there",
    inputOf({ store: { ownActs: [acted("v2", "v2", "5")] } }),
    "own-rollback",
  ],
  [
    "an older configuration of a version of which an earlier act of ours took another one away",
    inputOf({ store: { ownActs: [acted("v1", "v1", "5")] } }),
    "own-rollback",
  ],
  [
    "a version that an act before the last one rolled back, deployed again since and proved healthy",
    inputOf({
      store: {
        ownActs: [acted("v9", "v8"), acted("v1", "v0", "4")],
        healthy: new Map([["checkout", NOW - 30 * MINUTE]]),
      },
    }),
    "own-rollback",
  ],
  [
    "where an act before the last one put the target",
    inputOf({ store: { ownActs: [acted("v9", "v8"), acted("v3", "v2", "4")] } }),
    "own-rollback",
  ],
];
