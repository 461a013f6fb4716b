import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lastLine, npmRunDemo } from "./demo-run.ts";

const LONG_MS = 300_000;

describe("npm run -s demo -- --json", () => {
  it(
    "shows the job on standard error, leaves one line on standard output, and ends well because the service recovered",
    async ({ signal }) => {
      const run = await npmRunDemo(signal, "--json");
      const result = lastLine(run);
      expect(run, run.err).toMatchObject({ code: 0 });
      expect(run.out.trimEnd().split("\n")).toHaveLength(1);
      expect(run.err).toMatch(
        /DETECTED[\s\S]*SUSPECTS[\s\S]*DECIDED[\s\S]*GATE[\s\S]*EXECUTED[\s\S]*CLOSED[\s\S]*WRITTEN/,
      );
      expect(result, run.err).toMatchObject({ scenario: "bad-deploy", action: "rollback", guardrail: "allow" });
      expect(result.culprit?.change_id, run.err).toContain("payments");
      const { onset, detected_at, decided_at, executed_at, recovered_at } = result;
      const times = [onset, detected_at, decided_at, executed_at, recovered_at].map((at) => at ?? expect.fail(run.err));
      expect(times.toSorted()).toEqual(times);
      expect(existsSync(result.postmortem ?? "")).toBe(true);
    },
    LONG_MS,
  );
});
