import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UnshipError } from "../../core/errors.ts";
import { CONTROL_PLANE_PROGRAMS, missingParts, openParts, type RealParts } from "../real-kubernetes/parts.ts";
import type { ScenarioName } from "../sandbox/scenarios.ts";

/** What can be broken on a real cluster, whose pods are kwok's: what an image's pods answer, and whether they get ready. */
export const REAL_SCENARIOS = ["bad-deploy", "bad-latency", "not-ready"] as const satisfies readonly ScenarioName[];
export type RealScenario = (typeof REAL_SCENARIOS)[number];

/** What is said of each where it differs from the sandbox's: an image of kwok's pods is slow as a whole. */
export const REAL_TITLES: Readonly<Partial<Record<ScenarioName, string>>> = {
  "bad-latency": "a deploy of catalog makes its answers take three seconds",
};

export const isRealScenario = (name: string): name is RealScenario => REAL_SCENARIOS.some((one) => one === name);

/** Nobody undoes by kubectl here. */
const NEEDED = CONTROL_PLANE_PROGRAMS.filter((name) => name !== "kubectl");
/** What `npm run real-parts` calls the programs that the demo needs; the API server and its like are one. */
const ONLY = "etcd,kubernetes,kwok";

/**
 * The programs of a control plane in a folder. Throws "input.invalid" that says what is missing and the command that makes
 * it: where there is no folder, where it lacks a program, or where the scenario needs more than a cluster.
 */
export function requireControlPlane(folder: string, scenario: string): RealParts {
  const path = resolve(folder);
  const fail = (reason: string): never => {
    throw new UnshipError("input.invalid", { what: `--real-kubernetes ${folder}`, reason });
  };
  const command = `npm run real-parts -- ${path} --only ${ONLY}`;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    fail(`there is no such folder; make it with: ${command}`);
  const parts = openParts(path);
  const missing = missingParts(parts, NEEDED);
  if (missing.length > 0)
    fail(
      `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not in it; get what is missing with: ${command}`,
    );
  if (!isRealScenario(scenario))
    fail(
      `the scenario "${scenario}" needs the sandbox; on a real control plane there are ${REAL_SCENARIOS.join(", ")}`,
    );
  return parts;
}
