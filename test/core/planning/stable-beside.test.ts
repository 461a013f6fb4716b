import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AllowedAction } from "../../../core/config/config.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Revision, Rollout } from "../../../core/model/evidence.ts";
import type { Series } from "../../../core/model/signal.ts";
import { targetsFor } from "../../../core/planning/plan-targets.ts";
import { testConfig } from "../assessment/config.ts";
import { STEP, type Version, versionSeries } from "../canary/versions.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";

const NOW = T0 + 10 * MINUTE;
const workload = { kind: "Rollout", namespace: "production", name: "cart" };
const deploy = change({ workload, canary: 0.2, fromRevision: "3", toRevision: "4" });

interface Trial {
  readonly stable?: Version;
  readonly canary?: Version;
  /** How long ago the stable version's last sample is, in steps. */
  readonly silentSteps?: number;
  readonly revision?: Partial<Revision>;
  readonly rollout?: Partial<Rollout>;
  readonly pastBad?: readonly string[];
  /** Metrics that nobody measures by version. */
  readonly without?: readonly string[];
  readonly more?: Partial<CaseFile>;
}

/** The stable version served for two minutes before its trial began, which is less than proves it by age. */
function actionOf(trial: Trial): string {
  const { stable = { errors: 0.003 }, canary = { errors: 0.34 }, silentSteps = 0, without = [] } = trial;
  const steps = (NOW - T0) / STEP;
  const labelled = (version: string, series: readonly Series[]) =>
    series.filter(({ metric }) => !without.includes(metric)).map((one) => ({ ...one, labels: { version } }));
  const past = 8;
  const old = versionSeries(stable, past + steps, T0 - past * STEP, 1).map((one) => ({
    ...one,
    values: one.values.slice(0, one.values.length - silentSteps),
  }));
  const revisions: readonly Revision[] = [
    { revision: "2", version: "v0.9.0", createdAt: T0 - 600 * MINUTE, current: false, servedMs: 590 * MINUTE },
    {
      revision: "3",
      version: "v1.0.0",
      createdAt: T0 - 2 * MINUTE,
      current: false,
      servedMs: 2 * MINUTE,
      ...trial.revision,
    },
    { revision: "4", version: "v1.1.0", createdAt: T0, current: true },
  ];
  const rollout: Rollout = {
    service: "cart",
    workload,
    version: "v1.1.0",
    revision: "4",
    status: "paused",
    replicas: { desired: 4, updated: 1, ready: 4, available: 4 },
    restarts: 0,
    revisions: [...revisions],
    observedAt: NOW,
    stable: { version: "v1.0.0", revision: "3" },
    ...trial.rollout,
  };
  const series = [
    ...labelled("v1.0.0", old),
    ...labelled("v1.1.0", versionSeries({ rate: 25, ...canary }, steps, T0, 2)),
  ];
  const file = emptyCase({ at: NOW, changes: [deploy], rollouts: [rollout], series, ...trial.more });
  const action = (type: AllowedAction["type"]): AllowedAction => ({
    type,
    namespaces: null,
    applications: null,
    environments: null,
    requireApproval: false,
    maxRollbacksPerHour: null,
  });
  const config = testConfig({ allowedActions: [action("kubectl_rollout_undo"), action("rollout_abort")] });
  const pastBad = new Map([["cart", new Set(trial.pastBad ?? [])]]);
  const { targets } = targetsFor(file, config, ["deploy-cart"], { pastBad });
  return targets.map(({ action, restore }) => `${action} to ${restore.version}`).join(", ");
}

const ABORTED = "rollout_abort to v1.0.0";
/** By age alone the stable version is passed over for the one that served for long. */
const BY_AGE = "kubectl_rollout_undo to v0.9.0";

describe("a trial whose stable version is young", () => {
  it.each<[string, Trial, string]>([
    ["is aborted where that serves now and fails less, measured side by side", {}, ABORTED],
    ["is aborted where that is faster", { stable: {}, canary: { p99: 900 } }, ABORTED],
    ["keeps the rule of age where both are as good", { canary: { errors: 0.003 } }, BY_AGE],
    ["keeps it where both are as bad", { stable: { errors: 0.34 } }, BY_AGE],
    ["keeps it where the stable version fails more", { stable: { errors: 0.34 }, canary: { errors: 0.003 } }, BY_AGE],
    ["keeps it where the stable version fails less and is slower", { stable: { errors: 0.003, p99: 900 } }, BY_AGE],
    ["keeps it where the stable version takes no requests any more", { stable: { rate: 0 } }, BY_AGE],
    ["keeps it where the stable version is silent for two minutes", { silentSteps: 8 }, BY_AGE],
    [
      "keeps it where no errors and latencies are told apart by version",
      { without: ["error_rate", "p99_latency"] },
      BY_AGE,
    ],
    ["keeps it where no traffic is told apart by version", { without: ["request_rate"] }, BY_AGE],
    ["keeps it where the stable version was bad before", { pastBad: ["v1.0.0"] }, BY_AGE],
    ["keeps it where the stable version never became ready", { revision: { becameReady: false } }, BY_AGE],
    ["keeps it where nobody can read now whether the trial runs", { rollout: { status: "unknown" } }, BY_AGE],
    ["keeps it once the new version has all traffic", { rollout: { stable: undefined as never } }, BY_AGE],
  ])("%s", (_, trial, expected) => {
    expect(actionOf(trial)).toBe(expected);
  });

  it("is never aborted unless the stable version serves and is measured better, whatever else is so", () => {
    const rates = fc.constantFrom(0, 5, 100);
    const errors = fc.constantFrom(0, 0.003, 0.05, 0.34);
    const latency = fc.constantFrom(200, 900);
    fc.assert(
      fc.property(
        fc.record({ rate: rates, errors, p99: latency }),
        fc.record({ rate: rates, errors, p99: latency }),
        fc.constantFrom(0, 2, 8, 30),
        fc.subarray(["error_rate", "p99_latency", "request_rate"]),
        fc.constantFrom<Rollout["status"]>("paused", "progressing", "stuck", "unknown"),
        fc.constantFrom<readonly string[]>([], ["v1.0.0"]),
        (stable, canary, silentSteps, without, status, pastBad) => {
          const done = actionOf({ stable, canary, silentSteps, without, rollout: { status }, pastBad });
          const isBetter =
            (!without.includes("error_rate") && stable.errors < canary.errors) ||
            (!without.includes("p99_latency") && stable.p99 < canary.p99);
          const serves = stable.rate > 0 && silentSteps < 8 && !without.includes("request_rate");
          if (isBetter && serves && status !== "unknown" && pastBad.length === 0) return;
          expect(done).toBe(BY_AGE);
        },
      ),
      { numRuns: 300 },
    );
  });
});
