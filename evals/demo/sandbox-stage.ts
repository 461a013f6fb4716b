import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSandbox } from "../sandbox/sandbox.ts";
import { SCENARIOS, type Scenario, type ScenarioName } from "../sandbox/scenarios.ts";
import { demoConfiguration, FLAG_TOKEN_VARIABLE } from "./configuration.ts";
import { followCulprit } from "./culprit-record.ts";
import type { Durations } from "./durations.ts";
import { startPrometheus } from "./prometheus-process.ts";
import type { Stage } from "./stage.ts";

/** Healthy traffic before anything breaks: enough samples of a baseline to tell worse from usual. */
const WARM_UP_STEPS = 20;

export interface StageOptions {
  readonly scenario: ScenarioName;
  readonly directory: string;
  readonly durations: Durations;
  /** Debian's Prometheus instead of the embedded scraper. */
  readonly prometheus: boolean;
  readonly print: (line: string) => void;
}

/** The sandbox: services in processes of their own, an imitated Kubernetes, flags, traces, logs. */
export async function openSandboxStage(options: StageOptions): Promise<Stage> {
  const { scenario, directory, durations, print } = options;
  const { worlds = ["shop"] }: Scenario = SCENARIOS[scenario];
  await using own = new AsyncDisposableStack();
  const beside = worlds.length === 1 ? "" : " and another team's two services beside it";
  print(`Starting a small shop${beside}: seven services, visitors, an imitated Kubernetes, flags, traces …`);
  const sandbox = own.use(await startSandbox({ directory: join(directory, "sandbox"), scenario }));
  const { endpoints } = sandbox;
  const prometheus = options.prometheus
    ? own.use(await startPrometheus(endpoints.prometheusConfigPath, join(directory, "prometheus"))).url
    : null;
  const config = join(directory, "unship.yaml");
  writeFileSync(config, demoConfiguration({ endpoints, durations, directory, prometheus, worlds }));
  print("Starting the watch, in a process of its own that knows the shop's published endpoints alone …");
  const kept = own.move();
  return {
    config,
    variables: { [FLAG_TOKEN_VARIABLE]: endpoints.flagToken },
    warmUpMs: WARM_UP_STEPS * durations.stepMs,
    play: async (onEvent) => sandbox.play({ scenario, onEvent }),
    follow: (culprit) => followCulprit(endpoints, culprit),
    writes: () => sandbox.writes(),
    traffic: (world) => sandbox.traffic(world),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
