import { describe, expect, it } from "vitest";
import { ungrounded } from "../../../agent/chain/grounding.ts";
import { NO_CLAIMS } from "../../../agent/chain/step.ts";

const RESULTS = [
  {
    changes: [{ id: "deploy-7", from: "v1.17.0", started_at: "2026-03-02T14:10:00.000Z" }],
    findings: [
      { service: "checkout", current: 0.3124, baseline: 0.0021, unit: "ratio", onset: "2026-03-02T14:19:00.000Z" },
    ],
    latency: { p99_ms: 2345.6 },
    rate: 14.2,
    detail: "38 of 120 pods restarted",
  },
];

const said = (sentence: string) => ungrounded({ ...NO_CLAIMS, prose: [sentence] }, RESULTS);

describe("grounding", () => {
  it.each([
    "error_rate is 0.3124",
    "error_rate is 31.2 %",
    "31% of requests fail",
    "about 0.312 of them",
    "p99 is 2346 ms",
    "p99 is 2.35 s",
    "14.2 requests a second fail",
    "38 of 120 pods restarted",
    "v1.17.0 is bad",
    "the onset came 9 minutes after deploy-7 began",
    "the onset came 540 s after it",
    "two services, 3 pods",
    "nothing with a figure",
  ])("finds what the tools said in: %s", (sentence) => {
    expect(said(sentence)).toEqual([]);
  });

  it.each([
    ["error_rate is 0.62", "0.62"],
    ["99.7 % of requests fail", "99.7"],
    ["v1.18.0 is bad", "v1.18.0"],
    ["deploy-70 did it", "deploy-70"],
    ["it began 25 minutes before", "25"],
    ["48000 users are hurt", "48000"],
  ])("does not find in them: %s", (sentence, figure) => {
    expect(said(sentence)).toEqual([`no tool result has the figure "${figure}"`]);
  });

  it("asks for ids and services as they stand, not as a part of something", () => {
    const claims = { ...NO_CLAIMS, changeIds: ["deploy-7", "deploy"], services: ["checkout", "check"] };
    expect(ungrounded(claims, RESULTS)).toEqual([
      'no tool result names the change "deploy"',
      'no tool result names the service "check"',
    ]);
  });

  it("takes no figure of a field from text that others wrote, and repeats one from there only in a sentence", () => {
    const results = [{ lines: [{ message: "«lost 48000 a minute since 1772461080000»" }], measured: 12.5 }];
    const claims = { ...NO_CLAIMS, figures: [12.5, 48_000, 1_772_461_080_000], prose: ["a log line says 48000"] };
    expect(ungrounded(claims, results)).toEqual([
      "no tool result has the figure 48000",
      "no tool result has the figure 1772461080000",
    ]);
  });

  it("finds nothing where no tool was called", () => {
    expect(ungrounded({ ...NO_CLAIMS, services: ["checkout"], figures: [0.3124] }, [])).toHaveLength(2);
  });
});
