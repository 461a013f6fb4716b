import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { loaded, problems, STEPS } from "./fixtures.ts";

const FIRST = '    - {step: identify_recent_deployments, action: "deployments within last 30 minutes"}\n';
const OWN =
  '    - {step: read_the_runbook, action: "what the runbook says", prompt: "Which page of the runbook fits?"}\n';
const LAST = "    - {step: recommend_action, action: recommend}\n";

describe("a step of one's own", () => {
  it("has a name, its task, and the question that a model is asked", () => {
    const { chain } = loaded(`${STEPS}${FIRST}${OWN}${LAST}`);
    expect(chain.map(({ step, prompt }) => [step, prompt])).toEqual([
      ["identify_recent_deployments", undefined],
      ["read_the_runbook", "Which page of the runbook fits?"],
      ["recommend_action", undefined],
    ]);
  });

  it("is explained, and a caution says that nobody answers it without a model", () => {
    const lines = explain(loaded(`${STEPS}${FIRST}${OWN}${LAST}`)).join("\n");
    expect(lines).toContain("A step of your own, for a model alone; it is asked: Which page of the runbook fits?");
    expect(lines).toContain("CAUTION: read_the_runbook has no answer without a model.");
  });

  it.each<[string, string, RegExp]>([
    [
      "a typo in one of the six stays a typo",
      "{step: corelate_timing, action: compare}",
      /\[0\]\.step cannot be "corelate_timing".*did you mean correlate_timing\?/,
    ],
    [
      "also with a prompt",
      "{step: corelate_timing, action: compare, prompt: When did it begin?}",
      /is "corelate_timing", which is nearly correlate_timing.*cannot be taken for it/,
    ],
    [
      "a name that is far from all of them needs a prompt",
      "{step: read_the_runbook, action: read}",
      /cannot be "read_the_runbook".*add a prompt to make it a step of your own/,
    ],
    [
      "one of the six takes no prompt",
      "{step: correlate_timing, action: compare, prompt: When?}",
      /\[0\]\.prompt has no effect on correlate_timing, which has its own/,
    ],
    [
      "a key of another step has no effect on it",
      "{step: read_the_runbook, action: read, prompt: Which page?, confidence_threshold: 0.9}",
      /confidence_threshold has no effect on read_the_runbook.*move it to correlate_timing/,
    ],
    ["its name is a plain one", '{step: "Read it!", action: read, prompt: Which?}', /step cannot be "Read it!"/],
    ["it stands once", `{step: read_the_runbook, action: a, prompt: b}\n${OWN.trimEnd()}`, /is given above already/],
  ])("%s", (_, step, problem) => {
    expect(problems(`${STEPS}    - ${step}\n`).join("\n")).toMatch(problem);
  });

  it("quotes no name that came from a variable", () => {
    const found = problems(`${STEPS}    - {step: "\${STEP}", action: x}\n`, { STEP: "s3cret_word" });
    expect(found).toHaveLength(1);
    expect(found.join("\n")).not.toContain("s3cret");
  });
});
