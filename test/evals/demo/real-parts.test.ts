import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { UnshipError } from "../../../core/errors.ts";
import { runDemo } from "../../../evals/demo/demo.ts";
import { REAL_SCENARIOS } from "../../../evals/demo/real-parts.ts";
import { BOUNDS } from "../../../evals/real-kubernetes/shop/traffic.ts";
import { quantileMs } from "../../../evals/real-kubernetes/shop/visitors.ts";
import { SCENARIO_NAMES } from "../../../evals/sandbox/scenarios.ts";

const made: string[] = [];
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});
/** A folder with files of these names, which are no programs: nothing of it is started. */
function folder(...names: readonly string[]): string {
  const path = mkdtempSync(join(tmpdir(), "unship-parts-"));
  made.push(path);
  for (const name of names) {
    writeFileSync(join(path, name), "");
    chmodSync(join(path, name), 0o755);
  }
  return path;
}
const ALL = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"];

/** What the demo says instead of beginning, and that it printed nothing before. */
async function refusal(realKubernetes: string, scenario = "bad-deploy"): Promise<string> {
  const printed: string[] = [];
  const options = { scenario, realTime: false, prometheus: false, colour: false, columns: 80, realKubernetes };
  const error = await runDemo(options, (line) => printed.push(line), new AbortController().signal).then(
    () => new Error("it began"),
    (thrown: unknown) => thrown,
  );
  expect(printed).toEqual([]);
  expect(error).toBeInstanceOf(UnshipError);
  return error instanceof Error ? error.message : "";
}

describe("demo --real-kubernetes, before it begins", () => {
  it("a folder that is not there: how it is made", async () => {
    expect(await refusal("/nowhere/parts")).toBe(
      "--real-kubernetes /nowhere/parts: there is no such folder; make it with: npm run real-parts -- /nowhere/parts --only etcd,kubernetes,kwok.",
    );
  });

  it.each([
    ["one part", ALL.filter((name) => name !== "kwok"), "kwok is not in it"],
    ["several parts", ["etcd", "kwok"], "kube-apiserver, kube-controller-manager, kube-scheduler are not in it"],
  ])("a folder without %s: which, and the command that gets it", async (_, names, said) => {
    const path = folder(...names);
    expect(await refusal(path)).toBe(
      `--real-kubernetes ${path}: ${said}; get what is missing with: npm run real-parts -- ${path} --only etcd,kubernetes,kwok.`,
    );
  });

  it("a scenario that takes more than a cluster: which ones do not", async () => {
    const path = folder(...ALL);
    const others = SCENARIO_NAMES.filter((name) => !REAL_SCENARIOS.some((one) => one === name));
    expect(others.length).toBeGreaterThan(5);
    for (const name of others)
      expect(await refusal(path, name)).toContain(
        `the scenario "${name}" needs the sandbox; on a real control plane there are bad-deploy, bad-latency, not-ready`,
      );
  });
});

const boundMs = (at: number): number => 1000 * (BOUNDS.at(at) ?? Number.NaN);

describe("what visitors of a real cluster's shop see", () => {
  it.each([
    ["nobody came", 0.99, [0, 0, 0], 0, null],
    ["all within the second bound", 0.99, [0, 100, 100], 100, boundMs(1)],
    ["two in a hundred later", 0.99, [0, 98, 100], 100, boundMs(2)],
    ["later than any bound", 0.5, [], 10, boundMs(-1)],
  ])("%s", (_, share, buckets, count, expected) => {
    expect(quantileMs(share, buckets, count)).toBe(expected);
  });
});
