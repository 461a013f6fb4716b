import { describe, expect, it } from "vitest";
import { CANARY_JUDGED, canaryText, createCanaryDesk } from "../../../agent/watch/canaries.ts";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { consequenceOf } from "../../../core/canary/judge.ts";
import type { LiveJudgement } from "../../../core/canary/live.ts";
import type { CanaryVerdict, MetricVerdict } from "../../../core/canary/model.ts";
import type { Change } from "../../../core/model/change.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { deploy } from "../../core/assessment/world.ts";

const NOW = Date.parse("2026-03-02T12:10:00Z");
const change = deploy("cart", 200) as Change;
const config = testConfig({
  canary: {
    enabled: true,
    baselineDurationMs: 900_000,
    comparisonMetrics: ["error_rate"],
    minimumConfidence: 0.95,
    autoPromoteOnPass: true,
    autoRollbackOnFail: true,
    judge: "sequential",
    kayenta: { pass: 95, marginal: 75, groupWeights: {}, metrics: {} },
  },
});

function canaryOf(verdict: CanaryVerdict, metric: MetricVerdict = "inconclusive", declared = true): LiveJudgement {
  const judgement: LiveJudgement["judgement"] = {
    judge: "sequential",
    verdict,
    since: NOW - 300_000,
    until: NOW,
    samples: 20,
    mostSamples: 60,
    confidence: 0.95,
    metrics: [
      {
        service: "cart",
        metric: "error_rate",
        labels: {},
        unit: "ratio",
        verdict: metric,
        baseline: 0.01,
        canary: 0.2,
        samples: 20,
        evidence: null,
        because: "20.0 % beside 1.00 %",
      },
    ],
    score: null,
    why: [`the judge says ${verdict}`, "error_rate of cart: 20.0 % beside 1.00 %"],
  };
  const consequence = consequenceOf(judgement, { autoPromoteOnPass: true, autoRollbackOnFail: true });
  const version = { version: "v1.1.0", stable: "v1.0.0" };
  return { change, service: "cart", ...version, declared, since: NOW - 300_000, judgement, consequence };
}

describe("what the watch says of a canary", () => {
  it.each<[string, LiveJudgement, RegExp]>([
    [
      "that it is judged, and for how long",
      canaryOf("continue"),
      /^cart v1\.1\.0 beside v1\.0\.0 is judged by 1 metrics, for 15m at most$/,
    ],
    [
      "that it would be promoted, and cannot be",
      canaryOf("pass", "no-worse"),
      /passes: .* would promote it, and cannot/,
    ],
    [
      "that it goes back through the gate",
      canaryOf("fail", "worse"),
      /fails: .*20\.0 % beside 1\.00 %.*by a plan through the gate/,
    ],
    [
      "that a pass without data is for a person",
      canaryOf("pass", "unknown"),
      /no data never promotes.*A person decides; it is not promoted/,
    ],
    ["that nothing was found out in time", canaryOf("inconclusive"), /inconclusive: .*A person decides/],
    [
      "that a rolling update is no canary",
      canaryOf("fail", "worse", false),
      /is worse: .*rolling update and no canary/,
    ],
  ])("%s", (_, live, text) => {
    expect(canaryText(live, 900_000)).toMatch(text);
  });

  it("is said and written down once a verdict, also after a restart", async () => {
    const ledger = await openSqliteLedger(":memory:");
    const events: WatchEvent[] = [];
    const desk = () => createCanaryDesk({ config, ledger, emit: (event) => events.push(event) });
    const first = desk();
    for (const verdict of ["continue", "continue", "fail"] as const)
      await first.look([canaryOf(verdict, "worse")], NOW);
    await desk().look([canaryOf("fail", "worse")], NOW + 15_000);
    await first.look([canaryOf("continue", "worse", false)], NOW + 15_000);
    expect(events.map(({ event }) => event)).toEqual(["canary.judged", "canary.judged"]);
    const entries = await ledger.entries({ kinds: [CANARY_JUDGED] });
    expect(entries.map(({ body }) => body)).toMatchObject([
      { changeId: change.id, verdict: "continue", action: "wait" },
      {
        changeId: change.id,
        verdict: "fail",
        action: "take-back",
        metrics: [{ metric: "error_rate", verdict: "worse" }],
      },
    ]);
    expect((await ledger.verify()).ok).toBe(true);
    await ledger.close();
  });
});
