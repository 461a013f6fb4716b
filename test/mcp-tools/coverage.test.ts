import { describe, expect, it } from "vitest";
import { stepAnswers } from "../../core/assessment/assessor.ts";
import type { CaseFile, Gap } from "../../core/model/assessment.ts";
import type { Series } from "../../core/model/signal.ts";
import type { MetricSource } from "../../core/ports.ts";
import { incident } from "../knowledge/incidents.ts";
import { callTool } from "./call-tool.ts";
import { caseFile, context, errorSeries, NOW, noSources } from "./scenario.ts";

const quiet: Partial<CaseFile> = { series: [], findings: [], conditions: [], changes: [], topology: null };
const calm: Series = {
  ...errorSeries,
  stepMs: 15_000,
  startAt: NOW - 39 * 15_000,
  values: new Array<number>(40).fill(0.002),
};
const SINCE = Date.parse("2026-03-02T14:10:00Z");
const down: Gap = {
  ...{ of: "metrics", how: "unanswered", metric: "error_rate", source: "prometheus", what: "metrics: error_rate" },
  because: "nothing listens at prometheus:9090",
  since: SINCE,
};
const absurd: Gap = {
  ...{ of: "metrics", how: "partial", metric: "error_rate", services: ["checkout"], source: "prometheus" },
  what: "error_rate of checkout",
  because: "-1 at 2026-03-02T14:19:45.000Z can be no measurement: taken as missing",
  since: SINCE,
};
const unread: Gap = {
  ...{ of: "changes", how: "partial", source: "kubernetes configmaps", what: "ConfigMaps edited in place" },
  because: "the credentials may not read configmaps, so that none is a suspect",
  since: SINCE,
};
const over = (known: Partial<CaseFile>) =>
  context({ steps: stepAnswers, caseFile: async () => caseFile({ ...quiet, ...known }) });

const JUDGING = ["get_findings", "explain_decision", "rank_candidates", "assess_impact"] as const;
/** What is said where all is known to be well, or no change to be at fault. */
const KNOWN = /nothing is worse|no change is the culprit|"level":"low"(?!,"affectedServices":\[\],"failedShare":null)/;

describe("S15: each judging answer says what it was judged on, and nothing known where that is unknown", () => {
  const states: readonly (readonly [string, Partial<CaseFile>, string, readonly unknown[]])[] = [
    ["just after start", {}, "not yet", ["no samples are known"]],
    [
      "before there are enough samples",
      { series: [{ ...calm, values: [0.002, 0.002] }] },
      "not yet",
      ["too few samples are known of checkout"],
    ],
    [
      "while the only source of metrics is down",
      { gaps: [down] },
      "unknown",
      ["no samples are known", expect.stringMatching(/^prometheus did not say .*since 2026-03-02T14:10:00/)],
    ],
    [
      "while it is down, after it was up",
      { series: [calm], gaps: [down] },
      "partly",
      [expect.stringContaining("nothing listens at prometheus:9090")],
    ],
    [
      "while a rule gives a share below zero",
      { series: [calm], gaps: [absurd] },
      "partly",
      [expect.stringContaining("-1 at 2026-03-02T14:19:45.000Z can be no measurement")],
    ],
  ];
  const cases = states.flatMap((state) => JUDGING.map((tool) => [tool, ...state] as const));
  it.each(cases)("%s %s", async (tool, _state, known, signals, because) => {
    const { structured, text } = await callTool(over(known), tool);
    expect(structured?.coverage).toEqual({ signals, changes: "measured", because });
    expect(text).not.toMatch(KNOWN);
    if (tool === "assess_impact") expect(structured?.level).toBe("unknown");
  });

  it.each(JUDGING)("%s says that all is measured where it is", async (tool) => {
    const { structured } = await callTool(over({ series: [calm] }), tool);
    expect(structured?.coverage).toEqual({ signals: "measured", changes: "measured", because: [] });
    if (tool === "assess_impact") expect(structured?.level).toBe("low");
  });

  it.each(JUDGING)("%s names what a source of changes leaves out", async (tool) => {
    const { structured, text } = await callTool(over({ series: [calm], gaps: [unread] }), tool);
    expect(structured?.coverage).toMatchObject({
      changes: "partly",
      because: [expect.stringMatching(/^kubernetes configmaps does not show ConfigMaps edited in place.*since/)],
    });
    expect(text).not.toContain("no change is the culprit");
  });

  it("rank_candidates says of which changes its figure for none speaks", async () => {
    const says = async (gaps: readonly Gap[], known: Partial<CaseFile> = {}) =>
      (await callTool(context({ caseFile: async () => caseFile({ gaps, ...known }) }), "rank_candidates")).structured
        ?.no_change_says;
    expect(await says([])).toBe("no change is the culprit");
    expect(await says([unread])).toBe("no known change is the culprit; others may have been made");
    const { structured } = await callTool(over({}), "rank_candidates");
    expect(structured?.no_change_says).toBe(
      "nothing: no change could be compared, since what is degraded is not known",
    );
    const { structured: well } = await callTool(over({ series: [calm] }), "rank_candidates");
    expect(well?.no_change_says).toBe("nothing: no change could be compared; noChangeReasons says why");
  });

  it.each([
    ["what was not heard", ["argocd did not say changes: refused"], ["argocd did not say changes: refused"]],
    ["that all was heard", [], []],
    ["that nobody recorded it", undefined, null],
  ] as const)("get_incident says %s", async (_, unheard, said) => {
    const { unheard: _own, ...old } = incident;
    const one = unheard === undefined ? old : { ...old, unheard: [...unheard] };
    const base = context();
    const of = { ...base, ledger: { ...base.ledger, incident: async () => one } };
    const { structured } = await callTool(of, "get_incident", { incident: one.id });
    expect(structured?.unheard).toEqual(said);
  });
});

describe("S9: query_metric gives no empty list without a reason", () => {
  const source = (range: MetricSource["range"]) => ({
    ...noSources,
    metrics: [{ name: "prometheus", metrics: () => ["error_rate"], range }],
  });

  it.each([
    [{}, "error_rate"],
    [{ service: "checkout" }, "error_rate of checkout"],
  ])("nothing measured (%o)", async (input, what) => {
    const of = context({ sources: source(async () => []), caseFile: async () => caseFile() });
    const { structured } = await callTool(of, "query_metric", { metric: "error_rate", ...input });
    expect(structured).toMatchObject({
      series: [],
      gaps: [`prometheus: ${what} unknown, no sample of that window is known: not measured, or not yet`],
    });
  });

  it("what was discarded of an answer is in its gaps, and of another service in none of them", async () => {
    const sources = source(async ({ lacks }) => {
      lacks?.({ gap: absurd, at: NOW });
      return [errorSeries, { ...errorSeries, service: "search" }];
    });
    const asked = async (service?: string) =>
      (await callTool(context({ sources }), "query_metric", { metric: "error_rate", ...(service ? { service } : {}) }))
        .structured?.gaps;
    expect(await asked()).toEqual([expect.stringContaining("can be no measurement: taken as missing")]);
    expect(await asked("checkout")).toHaveLength(1);
    expect(await asked("search")).toEqual([]);
  });
});
