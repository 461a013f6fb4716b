import { describe, expect, it } from "vitest";
import { SCENARIO_NAMES, SCENARIOS, type Scenario, type ScenarioName } from "../../evals/sandbox/scenarios.ts";
import { lastLine, npmRunDemo } from "../e2e/demo-run.ts";

describe("unship demo --scenario", () => {
  it.for(SCENARIO_NAMES.map((name): [ScenarioName, string] => [name, SCENARIOS[name].truth.action]))(
    "%s ends in %s",
    async ([name, action], { signal }) => {
      const run = await npmRunDemo(signal, "--json", "--scenario", name);
      const result = lastLine(run);
      // The exit code is the sandbox's own judgement: one write on the culprit and visitors served, or no write at all.
      expect(run, run.err).toMatchObject({ code: 0 });
      expect(result, run.err).toMatchObject({ scenario: name, action });
      const { culprit } = SCENARIOS[name].truth;
      if (culprit !== null) expect(result.culprit?.change_id, run.err).toContain(culprit);
      const { also = [], world: ownWorld = "shop" }: Scenario = SCENARIOS[name];
      // Of what one release broke, one incident may undo all; it names one of its changes as the culprit.
      const named = also.map(({ world, culprit }) => (world === ownWorld ? "" : (culprit ?? "")));
      expect(result.also?.map((one) => [one.action, one.culprit?.change_id]) ?? [], run.err).toEqual(
        also.map((truth, index) => [truth.action, expect.stringContaining(named[index] ?? "")]),
      );
    },
  );
});
