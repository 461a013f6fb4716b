import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { UnshipError } from "../../core/errors.ts";
import { cameToNothing } from "../../core/model/incident.ts";
import type { SandboxEvent } from "../sandbox/acts.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { isScenarioName, SCENARIO_NAMES, SCENARIOS, type Scenario } from "../sandbox/scenarios.ts";
import { demoConfiguration, FLAG_TOKEN_VARIABLE } from "./configuration.ts";
import { followCulprit } from "./culprit-record.ts";
import { DEMO_DURATIONS, type Durations, SEED_DURATIONS } from "./durations.ts";
import { HARM } from "./harm.ts";
import { startPrometheus } from "./prometheus-process.ts";
import { type DemoResult, type Judged, jsonResult, judge } from "./result.ts";
import { paints, storyLine, table } from "./story.ts";
import { startWatch, type WatchLine, type WatchProcess } from "./watch-process.ts";
import { blindness, isNoticed } from "./watch-sight.ts";

export interface DemoOptions {
  readonly scenario: string;
  readonly realTime: boolean;
  /** Debian's Prometheus instead of the embedded scraper. */
  readonly prometheus: boolean;
  readonly directory?: string;
  readonly colour: boolean;
  /** How wide the terminal is. */
  readonly columns: number;
}

/** Healthy traffic before anything breaks: enough samples of a baseline to tell worse from usual. */
const WARM_UP_STEPS = 20;
/** How long a system that nothing should be done about is watched after its trouble began, in policy durations. */
const QUIET_WATCH = 1.5;

/** A canary is watched until its judge has no time left: its start-up, the time allowed, and what may come late. */
function quietWatchMs({ canaryOf }: Scenario, { autoLatencyMs, canaryMs, stepMs }: Durations): number {
  const quiet = QUIET_WATCH * autoLatencyMs;
  return canaryOf === undefined ? quiet : Math.max(quiet, 1.1 * canaryMs + 5 * stepMs);
}

/**
 * The main job, live: starts the sandbox and, in a process of its own, a watch that knows nothing but the sandbox's
 * endpoints; breaks the sandbox; follows what the watch does until the incident is over; judges by the sandbox's own
 * record. `print` gets whole lines.
 */
export async function runDemo(
  options: DemoOptions,
  print: (line: string) => void,
  abort: AbortSignal,
): Promise<{ readonly result: ReturnType<typeof jsonResult>; readonly judged: Judged }> {
  if (!isScenarioName(options.scenario)) {
    throw new UnshipError("input.invalid", {
      what: "--scenario",
      reason: `there is no "${options.scenario}"; there are ${SCENARIO_NAMES.join(", ")}`,
    });
  }
  const scenario: Scenario = SCENARIOS[options.scenario];
  const durations = options.realTime ? SEED_DURATIONS : DEMO_DURATIONS;
  const paint = paints(options.colour);
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "unship-demo-"));
  mkdirSync(directory, { recursive: true });

  print(paint.bold(`unship demo: ${scenario.title}`));
  print(paint.dim(`  everything stands in ${directory}`));
  print("Starting a small shop: seven services, visitors, an imitated Kubernetes, flags, traces …");
  await using sandbox = await startSandbox({ directory: join(directory, "sandbox"), scenario: options.scenario });
  await using prometheus = options.prometheus
    ? await startPrometheus(sandbox.endpoints.prometheusConfigPath, join(directory, "prometheus"))
    : null;
  const config = join(directory, "unship.yaml");
  writeFileSync(
    config,
    demoConfiguration({ endpoints: sandbox.endpoints, durations, directory, prometheus: prometheus?.url ?? null }),
  );
  print("Starting the watch, in a process of its own that knows the shop's published endpoints alone …");
  await using watch = startWatch({
    directory,
    config,
    variables: { [FLAG_TOKEN_VARIABLE]: sandbox.endpoints.flagToken },
  });
  let onset: number | null = null;
  watch.onLine((line) => {
    const text = storyLine(line, onset, paint, options.columns);
    if (text !== null) print(text);
  });
  if ((await watch.until(({ event }) => event === "watch.started", 30_000)) === null) {
    throw new UnshipError("input.invalid", {
      what: "the watch",
      reason: `it did not start; see ${join(directory, "watch.stderr.log")}`,
    });
  }
  await wait(WARM_UP_STEPS * durations.stepMs, undefined, { signal: abort });

  const before = watch.lines.length;
  const { culprit, action } = scenario.truth;
  const kind = action === "feature_flag_disable" ? "flag" : "deployment";
  await using record = culprit === null ? null : await followCulprit(sandbox.endpoints, { kind, name: culprit });
  const happened: SandboxEvent[] = [];
  await sandbox.play({
    scenario: options.scenario,
    onEvent: (event) => {
      happened.push(event);
      if (event.event !== "played") print(paint.red(`  now       ${tell(event)}`));
      onset = event.at;
    },
  });
  const breaks = happened.filter(({ event }) => event !== "played").at(-1) ?? happened.at(-1);
  onset = breaks?.at ?? Date.now();
  const quiet = scenario.truth.action === "no_action";
  const result = quiet
    ? await followQuiet(watch, {
        scenario: options.scenario,
        onset,
        before,
        forMs: quietWatchMs(scenario, durations),
        abort,
      })
    : await followIncident(watch, {
        scenario: options.scenario,
        onset,
        before,
        timeoutMs: 3 * (durations.autoLatencyMs + durations.verifyTimeoutMs),
        afterHeldMs: durations.autoLatencyMs + durations.verifyTimeoutMs,
      });
  // The visitors' own record of the seconds after recovery is part of the judgement.
  const waited = watch.lines.slice(before).find(({ event }) => event === "incident.held")?.text ?? null;
  const held = result.incident?.gate?.outcome === "executed" ? null : waited;
  if (!quiet && held === null) await wait(5000, undefined, { signal: abort });
  await record?.look();
  const harm = HARM[options.scenario];
  const judged = judge(result, {
    writes: sandbox.writes(),
    traffic: sandbox.traffic(),
    ...scenario.truth,
    harm,
    states: record?.states ?? [],
    blind: blindness(watch, onset),
    mustNotice: harm !== "none",
    noticed: isNoticed(watch.lines, onset),
    held,
  });
  print("");
  for (const row of table(result, durations)) print(row);
  print("");
  for (const reason of judged.reasons) print(paint.red(`  ${reason}`));
  if (judged.ok) for (const text of judged.unproven) print(paint.yellow(`  ${text}`));
  print(judged.ok ? paint.green(success(result, quiet)) : paint.red("The demo failed."));
  if (result.postmortem !== null) print(`Postmortem draft: ${result.postmortem.path}`);
  return { result: jsonResult(result), judged };
}

interface Follow {
  readonly scenario: string;
  readonly onset: number;
  readonly before: number;
}

/** Follows the first incident after the break until it is closed and its postmortem stands, or the time is over. */
async function followIncident(
  watch: WatchProcess,
  {
    scenario,
    onset,
    before,
    timeoutMs,
    afterHeldMs,
  }: Follow & { readonly timeoutMs: number; readonly afterHeldMs: number },
): Promise<DemoResult> {
  const end = Date.now() + timeoutMs;
  const rest = () => Math.max(0, end - Date.now());
  const late = (line: { readonly at: string }) => Date.parse(line.at) >= onset;
  const isOver = (line: WatchLine) =>
    late(line) &&
    line.event === "incident.closed" &&
    line.incident?.outcome !== "no-action" &&
    !cameToNothing(line.incident?.outcome ?? null);
  const first = await watch.until((line) => isOver(line) || (late(line) && line.event === "incident.held"), rest());
  // A plan that is held may go on by itself once a policy's condition holds, and is then verified. A person who would
  // answer is not here: nobody waits for one longer than that.
  const closed = first?.event === "incident.held" ? await watch.until(isOver, Math.min(rest(), afterHeldMs)) : first;
  if (closed?.incident == null) {
    const last = watch.lines.slice(before).findLast(({ incident }) => incident !== null);
    return { scenario, onset, incident: last?.incident ?? null, postmortem: null };
  }
  const { id } = closed.incident;
  const written =
    closed.incident.gate === null
      ? null
      : await watch.until(
          (line) => line.event === "postmortem.written" && line.incident?.id === id,
          Math.min(rest(), 15_000),
        );
  return {
    scenario,
    onset,
    incident: closed.incident,
    postmortem: written === null ? null : { at: Date.parse(written.at), path: written.text },
  };
}

/** Watches on while nothing should be done, then takes the worst that was decided. */
async function followQuiet(
  watch: WatchProcess,
  { scenario, onset, before, forMs, abort }: Follow & { readonly forMs: number; readonly abort: AbortSignal },
): Promise<DemoResult> {
  await wait(forMs, undefined, { signal: abort });
  const incidents = watch.lines.slice(before).flatMap(({ incident }) => (incident === null ? [] : [incident]));
  const byId = new Map(incidents.map((incident) => [incident.id, incident]));
  const last = [...byId.values()];
  const acted =
    last.find(({ gate }) => gate?.executedAt != null) ??
    last.find(
      ({ decision, outcome }) => !cameToNothing(outcome) && decision !== null && decision.action !== "no_action",
    );
  return { scenario, onset, incident: acted ?? last.at(-1) ?? null, postmortem: null };
}

function tell(event: SandboxEvent): string {
  switch (event.event) {
    case "deployed":
      return `${event.author} deploys ${event.service} ${event.version}`;
    case "flag-switched":
      return `${event.author} switches the flag ${event.flag} ${event.enabled ? "on" : "off"}`;
    case "outage":
      return `the ${event.external} outside begins to refuse requests`;
    case "played":
      return event.scenario;
  }
}

function success({ incident }: DemoResult, quiet: boolean): string {
  if (quiet)
    return incident === null
      ? "Nothing was wrong, and nothing was done."
      : "No change was to blame, and nothing was done.";
  return "Recovered, because of this and nothing else: one write, on the guilty object, and visitors are served as before.";
}
