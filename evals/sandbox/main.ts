import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UnshipError } from "../../core/errors.ts";
import { durationText, rfc3339 } from "../../core/model/time.ts";
import type { SandboxEvent } from "./acts.ts";
import type { SandboxEndpoints } from "./endpoints.ts";
import { startSandbox } from "./sandbox.ts";
import { isScenarioName, SCENARIO_NAMES, SCENARIOS, type ScenarioName } from "./scenarios.ts";

export interface RunSandboxOptions {
  /** A name of `SCENARIOS`; without it nothing is broken. */
  readonly scenario?: string;
  /** Default: a new folder below the system's temporary one, which is left standing. */
  readonly directory?: string;
  /** JSON lines instead of words. */
  readonly json?: boolean;
  /** From steady to the scenario, ms. Default 20,000: enough of a baseline to tell worse from usual. */
  readonly warmUpMs?: number;
  /** Instead of the warm-up: asks a person with this question and resolves with the answer; null where they gave up, and all of it ends. */
  readonly ask?: ((question: string) => Promise<string | null>) | undefined;
  readonly requestsPerSecond?: number;
  /** How long a minute of the scenario's story lasts, ms; the sandbox's default where it is left out. */
  readonly storyMinuteMs?: number;
}

const DEFAULT_WARM_UP_MS = 20_000;

/**
 * Runs the sandbox until `abort`: prints where everything is, breaks it after warm-up if a scenario is named, and says
 * each thing that was done to it. `print` gets whole lines. Throws "input.invalid" for a scenario that there is not.
 */
export async function runSandbox(
  options: RunSandboxOptions,
  print: (line: string) => void,
  abort: AbortSignal,
): Promise<void> {
  const scenario = checkScenario(options.scenario);
  const { json = false, warmUpMs = DEFAULT_WARM_UP_MS, ask, requestsPerSecond, storyMinuteMs } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "unship-sandbox-"));
  if (!json) print(`Starting the sandbox in ${directory} …`);
  await using sandbox = await startSandbox({
    directory,
    ...(scenario !== undefined && { scenario }),
    ...(requestsPerSecond !== undefined && { requestsPerSecond }),
    ...(storyMinuteMs !== undefined && { storyMinuteMs }),
  });
  if (json) print(JSON.stringify({ event: "steady", at: rfc3339(Date.now()), ...sandbox.endpoints }));
  else for (const line of describe(sandbox.endpoints)) print(line);

  const onEvent = (event: SandboxEvent) =>
    print(json ? JSON.stringify({ ...event, at: rfc3339(event.at) }) : `${rfc3339(event.at)}  ${words(event)}`);
  try {
    if (scenario !== undefined) {
      const { title } = SCENARIOS[scenario];
      if (!(await isTime({ ask, warmUpMs, title, json }, print, abort))) return;
      await sandbox.play({ onEvent });
    }
    await untilAborted(abort);
  } catch (error) {
    if (!abort.aborted) throw error;
  }
}

/** Waits until the scenario is to begin; false where a person was asked and gave up. Throws when aborted meanwhile. */
async function isTime(
  { ask, warmUpMs, title, json }: Pick<RunSandboxOptions, "ask" | "json"> & { warmUpMs: number; title: string },
  print: (line: string) => void,
  abort: AbortSignal,
): Promise<boolean> {
  if (ask !== undefined) {
    const answer = await Promise.race([ask(`Press Enter to break it (${title}): `), untilAborted(abort)]);
    return typeof answer === "string" && !abort.aborted;
  }
  if (!json) print(`In ${durationText(warmUpMs)}: ${title}.`);
  await wait(warmUpMs, undefined, { signal: abort });
  return true;
}

function checkScenario(name: string | undefined): ScenarioName | undefined {
  if (name === undefined || isScenarioName(name)) return name;
  throw new UnshipError("input.invalid", {
    what: "--scenario",
    reason: `there is no "${name}"; there are ${SCENARIO_NAMES.join(", ")}`,
  });
}

function untilAborted(abort: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (abort.aborted) resolve();
    else abort.addEventListener("abort", () => resolve(), { once: true });
  });
}

function describe(at: SandboxEndpoints): readonly string[] {
  return [
    "",
    "The sandbox is steady. Point anything at it:",
    `  kubeconfig         ${at.kubeconfigPath}`,
    `  Kubernetes API     ${at.kubernetes}`,
    `  shop (gateway)     ${at.gateway}   routes: GET /browse /search /cart, POST /checkout`,
    `  metrics discovery  ${at.metricsDiscovery}`,
    `  spans (Zipkin v2)  ${at.zipkin}`,
    `  flags (Unleash)    ${at.flags}   project ${at.flagProject}, environment ${at.flagEnvironment}`,
    `  flag admin token   ${at.flagToken}`,
    `  logs (JSON lines)  ${at.logs}`,
    "",
    "Try:",
    `  kubectl --kubeconfig ${at.kubeconfigPath} -n ${at.namespace} get deployments,pods`,
    `  kubectl --kubeconfig ${at.kubeconfigPath} -n ${at.namespace} rollout history deployment/payments`,
    `  prometheus --config.file=${at.prometheusConfigPath} --storage.tsdb.path="$(mktemp -d)" --web.listen-address=127.0.0.1:9090`,
    `  curl ${at.gateway}browse`,
    `  curl '${at.zipkin}api/v2/traces?serviceName=checkout&annotationQuery=error&limit=1'`,
    `  curl -H 'Authorization: ${at.flagToken}' ${at.flags}api/admin/projects/${at.flagProject}/features`,
    `  tail -f ${at.logs}/payments-*.jsonl`,
    "",
    "Ctrl-C ends it.",
    "",
  ];
}

function words(event: SandboxEvent): string {
  switch (event.event) {
    case "deployed":
      return `${event.author} deployed ${event.service} ${event.version}`;
    case "flag-switched":
      return `${event.author} switched the flag ${event.flag} ${event.enabled ? "on" : "off"}`;
    case "outage":
      return `the ${event.external} refuses ${Math.round(event.refusedShare * 100)} % of requests`;
    case "played":
      return `${event.scenario} is under way`;
  }
}
