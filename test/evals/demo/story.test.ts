import { describe, expect, it } from "vitest";
import type { DemoResult } from "../../../evals/demo/result.ts";
import { paints, storyLine, successWords } from "../../../evals/demo/story.ts";
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
