import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type RunSandboxOptions, runSandbox } from "../../../evals/sandbox/main.ts";
import { SCENARIO_NAMES, SCENARIOS } from "../../../evals/sandbox/scenarios.ts";
import { unship } from "../../agent/cli/run-cli.ts";
import { until } from "./small-shop.ts";

/** Runs it until a line fits, then aborts it as Ctrl-C would; returns all lines. */
async function runUntil(fits: (line: string) => boolean, options: RunSandboxOptions): Promise<readonly string[]> {
  const directory = mkdtempSync(join(tmpdir(), "sandbox-"));
  const lines: string[] = [];
  const ctrlC = new AbortController();
  const run = runSandbox({ directory, ...options }, (line) => lines.push(line), ctrlC.signal);
  await Promise.race([run, until(() => lines.find(fits))]);
  ctrlC.abort();
  await run;
  rmSync(directory, { recursive: true, force: true });
  return lines;
}

describe("unship sandbox", () => {
  it("says one JSON line with every endpoint when steady, then one for each thing that is done to it", async () => {
    const lines = await runUntil((line) => line.includes(`"played"`), {
      json: true,
      scenario: "decoy",
      warmUpMs: 0,
      storyMinuteMs: 500,
    });
    const [steady, ...events] = lines.map((line) => JSON.parse(line));
    expect(Object.keys(steady).sort()).toEqual(
      [
        ...["event", "at", "kubernetes", "kubeconfigPath", "namespace", "metricsDiscovery", "prometheusConfigPath"],
        ...["flags", "flagToken", "flagProject", "flagActor", "flagEnvironment", "zipkin", "logs", "gateway"],
      ].sort(),
    );
    expect(events.map(({ event, service }) => [event, service])).toEqual([
      ["deployed", "checkout"],
      ["deployed", "payments"],
      ["played", undefined],
    ]);
    for (const { at } of events) expect(new Date(at).toISOString()).toBe(at);
  });

  it("tells a person where everything is, with lines to paste", async () => {
    const lines = await runUntil((line) => line.startsWith("Ctrl-C"), {});
    const text = lines.join("\n");
    expect(text).toMatch(/kubectl --kubeconfig \S+ -n production get deployments,pods/);
    expect(text).toMatch(/prometheus --config\.file=\S+prometheus\.yml/);
    expect(text).toMatch(/curl http:\/\/127\.0\.0\.1:\d+\/browse/);
  });

  it("ends while it still warms up, and plays nothing", async () => {
    const options = { json: true, scenario: "bad-deploy", warmUpMs: 3_600_000 };
    expect(await runUntil(() => true, options)).toHaveLength(1);
  });

  it("is broken when somebody presses Enter, and not before", async () => {
    const { promise: enter, resolve: press } = Promise.withResolvers<string>();
    const asked: string[] = [];
    const ask = (question: string) => {
      asked.push(question);
      setTimeout(() => press(""), 500);
      return enter;
    };
    const lines = await runUntil((line) => line.includes(`"played"`), { json: true, scenario: "bad-deploy", ask });
    expect(asked).toEqual([`Press Enter to break it (${SCENARIOS["bad-deploy"].title}): `]);
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["steady", "deployed", "played"]);
  });

  it("ends unbroken where somebody gives up instead of pressing Enter", async () => {
    const lines = await runUntil(() => false, { json: true, scenario: "bad-deploy", ask: async () => null });
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(["steady"]);
  });

  it.each([
    [["--break-after", "20s"], "nothing is broken without a scenario"],
    [["--scenario", "bad-deploy", "--break-after", "soon"], '"soon" is no duration'],
    [["--scenario", "bad-deploy", "--break-after", "enter"], "there is no terminal to press Enter at"],
  ])("refuses %j, and starts nothing", async (words, reason) => {
    const { code, out, err } = await unship(["sandbox", ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(reason);
  });

  it("refuses a scenario that there is not, names those that there are, and starts nothing", async () => {
    const lines: string[] = [];
    const run = runSandbox({ scenario: "bad-deplyo" }, (line) => lines.push(line), new AbortController().signal);
    await expect(run).rejects.toThrow(`there is no "bad-deplyo"; there are ${SCENARIO_NAMES.join(", ")}`);
    expect(lines).toEqual([]);
  });
});
