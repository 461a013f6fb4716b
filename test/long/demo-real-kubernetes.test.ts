import { describe, expect, it } from "vitest";
import { REAL_SCENARIOS, type RealScenario } from "../../evals/demo/real-parts.ts";
import { lastLine, npmRunDemo } from "../e2e/demo-run.ts";
import { hasControlPlane } from "../real/kubernetes/plane.ts";

const CULPRITS: Readonly<Record<RealScenario, string>> = {
  "bad-deploy": "payments",
  "bad-latency": "catalog",
  "not-ready": "inventory",
};

describe.runIf(hasControlPlane("the demo on a real control plane"))("unship demo --real-kubernetes", () => {
  it.for(REAL_SCENARIOS)("%s: found, rolled back, recovered, written down", async (name, { signal }) => {
    const folder = process.env.UNSHIP_REAL_PARTS ?? "";
    const run = await npmRunDemo(signal, "--json", "--scenario", name, "--real-kubernetes", folder);
    expect(run, run.err).toMatchObject({ code: 0 });
    const result = lastLine(run);
    expect(result, run.err).toMatchObject({
      scenario: name,
      action: "rollback",
      guardrail: "allow",
      culprit: { change_id: expect.stringContaining(`production/${CULPRITS[name]}:`) },
      postmortem: expect.any(String),
    });
  });
});
