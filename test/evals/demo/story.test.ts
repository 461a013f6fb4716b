import { describe, expect, it } from "vitest";
import type { DemoResult } from "../../../evals/demo/result.ts";
import { paints, storyLine, successWords, waitLine } from "../../../evals/demo/story.ts";
import { createWaits } from "../../../evals/demo/waits.ts";
import type { WatchLine } from "../../../evals/demo/watch-process.ts";

const result = (id: string | null): DemoResult =>
  // as: the part of an incident that the sentence speaks of
  ({ scenario: "two", onset: 0, incident: id === null ? null : { id }, postmortem: null }) as DemoResult;

describe("what a demo that went well came to", () => {
  it.each([
    ["one trouble", [result("a")], false, /^Recovered. One write/],
    ["two apart", [result("a"), result("b")], false, /^Recovered: 2 incidents apart, one write for each/],
    ["one release", [result("a"), result("a")], false, /^Recovered: one incident, one write on each of its 2 culprits/],
    ["nothing to do", [result("a")], true, /^No change was the culprit/],
    ["nothing wrong", [result(null)], true, /^Nothing was wrong/],
  ] as const)("%s", (_, results, quiet, words) => {
    expect(successWords(results, quiet)).toMatch(words);
  });
});

describe("a line of the watch", () => {
  const line = (text: string): WatchLine => ({
    at: "2026-01-01T00:00:00Z",
    event: "tick.failed",
    text,
    incident: null,
  });
  it.each([
    ["that says that a step takes long is no trouble", "incident i: no answer yet; everything else goes on", "SLOW"],
    ["that says that a tick failed is one", "out of memory", "FAILED"],
  ])("%s", (_, text, heading) => {
    expect(storyLine(line(text), null, paints(false), 80)).toContain(`${heading} `);
  });
});

describe("what a demo waits for", () => {
  const AT = "2026-01-01T00:00:00.000Z";
  const since = Date.parse(AT) - 5000;
  const line = (id: string, stage: string, state = "pending"): WatchLine =>
    // as: the parts of an incident that the sentence speaks of
    ({
      ...{ at: AT, event: "incident.decided", text: "" },
      incident: {
        ...{ id, stage, gate: null, outcome: null, service: "payments" },
        findings: [],
        conditions: [
          {
            ...{ policy: "auto_rollback", condition: 0, text: "", service: "payments", metric: "error_rate", state },
            ...{ since, firesAt: since + 12_000, value: 0.3, because: "now 30 %, beyond 5 % for 5s" },
          },
        ],
      },
    }) as never;

  it("is said once for each incident and stage, in the words of status", () => {
    const waits = createWaits({ verifyTimeoutMs: 40_000 });
    const policy =
      "for a policy of the file: payments error_rate 30.0 %; auto_rollback fires at 00:00:07 UTC if it holds (5s of 12s)";
    const recovery = "until the signals are back within baseline, for 40s at most";
    expect(waits(line("a", "detected"))).toBeNull();
    expect(waits(line("a", "waiting-policy"))).toBe(policy);
    expect(waits(line("a", "waiting-policy"))).toBeNull();
    expect(waits(line("b", "waiting-policy"))).toBe(policy);
    expect(waits(line("a", "verifying"))).toBe(recovery);
    expect(waits(line("a", "closed"))).toBeNull();
    expect(waits(line("c", "waiting-policy", "inactive"))).toBeNull();
    expect(waits({ ...line("a", "detected"), incident: null })).toBeNull();
  });

  it("stands below the texts of events, broken to the terminal's width", () => {
    const lines = waitLine("until the signals are back within baseline, for 40s at most", paints(false), 60).split(
      "\n",
    );
    expect(lines[0]).toMatch(/^ {12}WAITS {5}until the/);
    for (const one of lines) expect(one.length).toBeLessThanOrEqual(60);
    expect(lines.length).toBeGreaterThan(1);
  });
});
