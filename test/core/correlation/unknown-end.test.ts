import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, rampEvidence, withEnd } from "../../../core/correlation/passing.ts";
import { gatherEvidence, rankCandidates } from "../../../core/correlation/rank.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Rollout } from "../../../core/model/evidence.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 120;
const OPTIONS = { versionLabel: "version", windowMs: 30 * MINUTE };
const FOCUS = new Set(["cart"]);

const row = (metric: string, values: readonly number[], version?: string) => ({
  service: "cart",
  metric,
  unit: "",
  worse: "up" as const,
  labels: version === undefined ? {} : { version },
  startAt: T0 - (BEFORE - 1) * STEP,
  stepMs: STEP,
  values: [...values],
});
const levelOf = (usual: number) => new Array<number>(BEFORE).fill(usual);

/** Errors of cart, a share of its requests each step from a rollout's start on. */
function caseOf(errors: readonly number[], rollout: Change, rollouts: readonly Rollout[] = []) {
  const at = T0 + errors.length * STEP;
  const finding = {
    detector: "regression",
    service: "cart",
    metric: "error_rate",
    labels: {},
    unit: "ratio",
    verdict: "worse" as const,
    onset: onsetAt(T0, 0, STEP),
    detectedAt: at,
    baseline: 0.002,
    current: errors.at(-1) ?? 0,
    samples: 4,
    strength: 40,
    because: "error_rate of cart is worse",
  };
  return emptyCase({
    at,
    changes: [rollout],
    findings: [finding],
    rollouts: [...rollouts],
    series: [
      row("error_rate", [...levelOf(0.002), ...errors]),
      row("request_rate", [...levelOf(80), ...errors.map(() => 80)]),
    ],
  });
}
const evidenceOf = (file: ReturnType<typeof caseOf>) => gatherEvidence(file, onsetAt(T0, 0, STEP), FOCUS, OPTIONS);

const statusOf = (status: Rollout["status"]): Rollout => ({
  service: "cart",
  workload: { kind: "Deployment", namespace: "shop", name: "cart" },
  version: "v1.1.0",
  revision: "2",
  status,
  replicas: { desired: 1, updated: 1, ready: 1, available: 1 },
  restarts: 0,
  revisions: [],
  observedAt: T0,
  startedAt: T0,
});

describe("the end of a rollout that no source tells", () => {
  const unknown = change({ finishedAt: null });
  it.each<[string, Change, readonly Rollout[], number, number | null]>([
    ["is unknown while one of ordinary length goes on", unknown, [], 2, null],
    ["is taken for past once one of ordinary length is over", unknown, [], 5, 3],
    ["… where its object is complete as well", unknown, [statusOf("complete")], 5, 3],
    ["is none while its source says that it goes on, however long", unknown, [statusOf("progressing")], 15, null],
    ["… or waits between two stages", unknown, [statusOf("paused")], 15, null],
    ["may be as late as the progress deadline where its source cannot say", unknown, [statusOf("unknown")], 5, null],
    ["… and where it is stuck", unknown, [statusOf("stuck")], 11, 10],
    ["… and where it serves a share of the traffic", change({ finishedAt: null, canary: 0.1 }), [], 5, null],
    ["is the one that is told, where one is", change(), [], 5, 2],
  ])("%s", (_, rollout, rollouts, minutes, end) => {
    const file = caseOf(new Array<number>((minutes * MINUTE) / STEP).fill(0.1), rollout, rollouts);
    expect(endOf(rollout, evidenceOf(file))).toBe(end === null ? null : T0 + end * MINUTE);
  });

  it("is when the version before was last seen to serve, where both are counted", () => {
    for (const [minutesServed, expected] of [
      [1, T0 + MINUTE],
      [5, null],
    ] as const) {
      const errors = new Array<number>(20).fill(0.1);
      const file = caseOf(errors, unknown);
      const old = errors.map((_, i) => ((i + 1) * STEP <= minutesServed * MINUTE ? 40 : 0));
      const versions = [
        row("request_rate", [...levelOf(80), ...old], "v1.0.0"),
        row("request_rate", [...levelOf(0), ...errors.map(() => 40)], "v1.1.0"),
      ];
      expect(endOf(unknown, evidenceOf({ ...file, series: [...file.series, ...versions] }))).toBe(expected);
    }
  });

  it("is none for what goes on until somebody ends it", () => {
    const evidence = evidenceOf(caseOf(new Array<number>(80).fill(0.1), unknown));
    for (const one of [change({ finishedAt: null, canary: 0.1 }), change({ finishedAt: null, kind: "migration" })])
      expect(withEnd(one, evidence)).toEqual(one);
  });

  it("what grew with it and then stays level is never said not to grow, whenever one looks", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 12 }),
        fc.integer({ min: 3, max: 60 }),
        fc.double({ min: 0.05, max: 0.6, noNaN: true }),
        (length, more, level) => {
          const errors = Array.from(
            { length: length + more },
            (_, i) => 0.002 + level * Math.min(1, (i + 0.5) / length),
          );
          const known = change({ finishedAt: T0 + length * STEP });
          const rampOf = (rollout: Change) => rampEvidence(rollout, evidenceOf(caseOf(errors, rollout)), ["cart"]);
          expect(rampOf(unknown) ?? 0).toBeGreaterThan(-0.1);
          if ((rampOf(known) ?? 0) > Math.log(4)) expect(rampOf(unknown) ?? 0).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("what is as bad at once does not grow with it either", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8, max: 60 }), fc.double({ min: 0.05, max: 0.6, noNaN: true }), (steps, level) => {
        const file = caseOf(new Array<number>(steps).fill(level), unknown);
        expect(rampEvidence(unknown, evidenceOf(file), ["cart"]) ?? 0).toBeLessThan(0);
      }),
    );
  });

  it("does not make a bad version less suspected than an ordinary end would, once that is past", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 15, max: 60 }),
        fc.double({ min: 0.05, max: 0.6, noNaN: true }),
        fc.integer({ min: 3, max: 8 }),
        (steps, level, length) => {
          const errors = Array.from({ length: steps }, (_, i) => 0.002 + level * Math.min(1, (i + 0.5) / length));
          const guilt = (rollout: Change) =>
            rankCandidates(caseOf(errors, rollout), [rollout], onsetAt(T0, 0, STEP), FOCUS, OPTIONS).candidates[0]
              ?.probability ?? 0;
          const ordinary = guilt(change({ finishedAt: T0 + 3 * MINUTE }));
          expect(guilt(unknown)).toBeGreaterThan(Math.min(ordinary, 0.95) - 0.05);
        },
      ),
      { numRuns: 30 },
    );
  });
});
