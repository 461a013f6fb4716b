import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createIncidentLabels } from "../../agent/cli/incident-labels.ts";
import { UnshipError } from "../../core/errors.ts";
import { cameToNothing } from "../../core/model/incident.ts";
import type { SandboxEvent } from "../sandbox/acts.ts";
import { startSandbox } from "../sandbox/sandbox.ts";
import { isScenarioName, SCENARIO_NAMES, SCENARIOS, type Scenario } from "../sandbox/scenarios.ts";
import { demoConfiguration, FLAG_TOKEN_VARIABLE } from "./configuration.ts";
import { type CulpritRecord, followCulprit } from "./culprit-record.ts";
import { DEMO_DURATIONS, type Durations, SEED_DURATIONS } from "./durations.ts";
import { startPrometheus } from "./prometheus-process.ts";
import { type DemoResult, type Judged, jsonResults } from "./result.ts";
import { paints, storyLine, table } from "./story.ts";
import { isAbout, judgeTogether, type Trouble, troublesOf } from "./troubles.ts";
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
/** A busy machine takes a while to load the watch's code. */
const START_MS = 120_000;
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
): Promise<{ readonly result: ReturnType<typeof jsonResults>; readonly judged: Judged }> {
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
  const { worlds = ["shop"] } = scenario;
  const beside = worlds.length === 1 ? "" : " and another team's two services beside it";
  print(`Starting a small shop${beside}: seven services, visitors, an imitated Kubernetes, flags, traces …`);
  await using sandbox = await startSandbox({ directory: join(directory, "sandbox"), scenario: options.scenario });
  await using prometheus = options.prometheus
    ? await startPrometheus(sandbox.endpoints.prometheusConfigPath, join(directory, "prometheus"))
    : null;
  const config = join(directory, "unship.yaml");
  writeFileSync(
    config,
    demoConfiguration({
      endpoints: sandbox.endpoints,
      durations,
      directory,
      prometheus: prometheus?.url ?? null,
      worlds,
    }),
  );
  print("Starting the watch, in a process of its own that knows the shop's published endpoints alone …");
  await using watch = startWatch({
    directory,
    config,
    variables: { [FLAG_TOKEN_VARIABLE]: sandbox.endpoints.flagToken },
  });
  let onset: number | null = null;
  const labels = createIncidentLabels();
  watch.onLine((line) => {
    const text = storyLine(line, onset, paint, options.columns, labels.next(line.incident));
    if (text !== null) print(text);
  });
  if ((await watch.until(({ event }) => event === "watch.started", START_MS)) === null) {
    throw new UnshipError("input.invalid", {
      what: "the watch",
      reason: `it did not start; see ${join(directory, "watch.stderr.log")}`,
    });
  }
  await wait(WARM_UP_STEPS * durations.stepMs, undefined, { signal: abort });

  const before = watch.lines.length;
  const troubles = troublesOf(options.scenario);
  await using records = new AsyncDisposableStack();
  const states: CulpritRecord[][] = [];
  for (const { culprit, action } of troubles) {
    const kind = action === "feature_flag_disable" ? "flag" : "deployment";
    const followed = culprit === null ? [] : [await followCulprit(sandbox.endpoints, { kind, name: culprit })];
    states.push(followed.map((record) => records.use(record)));
  }
  const happened: SandboxEvent[] = [];
  await sandbox.play({
    scenario: options.scenario,
    onEvent: (event) => {
      happened.push(event);
      if (event.event !== "played") print(paint.red(`  now       ${tell(event)}`));
      if (troubles.length === 1 || onset === null) onset = event.at;
    },
  });
  const end = Date.now() + 3 * (durations.autoLatencyMs + durations.verifyTimeoutMs);
  const told = await Promise.all(
    troubles.map(async (trouble, index) => {
      const began = onsetOf(trouble, troubles.length > 1, happened);
      const about = (line: WatchLine) =>
        troubles.length === 1 || (line.incident !== null && isAbout(line.incident, trouble));
      const follow: Follow = { scenario: options.scenario, onset: began, before, about };
      const quiet = trouble.action === "no_action";
      const result = quiet
        ? await followQuiet(watch, { ...follow, forMs: quietWatchMs(scenario, durations), abort })
        : await followIncident(watch, {
            ...follow,
            timeoutMs: end - Date.now(),
            afterHeldMs: durations.autoLatencyMs + durations.verifyTimeoutMs,
          });
      const waited = watch.lines.slice(before).find((line) => line.event === "incident.held" && about(line));
      const held = result.incident?.gate?.outcome === "executed" ? null : (waited?.text ?? null);
      // The visitors' own record of the seconds after recovery is part of the judgement.
      if (!quiet && held === null) await wait(5000, undefined, { signal: abort });
      for (const record of states[index] ?? []) await record.look();
      return { trouble, result, held };
    }),
  );
  const judged = judgeTogether(
    told.map(({ trouble, result, held }, index) => ({
      trouble,
      result,
      witness: {
        writes: sandbox.writes(),
        traffic: sandbox.traffic(trouble.world),
        culprit: trouble.culprit,
        action: trouble.action,
        harm: trouble.harm,
        states: states[index]?.flatMap((record) => record.states) ?? [],
        blind: index === 0 ? blindness(watch, result.onset) : [],
        mustNotice: trouble.harm !== "none",
        noticed: isNoticed(watch.lines, result.onset),
        held,
      },
    })),
  );
  const results = told.map(({ result }) => result);
  print("");
  for (const { trouble, result } of told) {
    if (told.length > 1) print(paint.bold(`  ${trouble.culprit ?? trouble.world}`));
    for (const row of table(result, durations)) print(row);
    print("");
  }
  for (const reason of judged.reasons) print(paint.red(`  ${reason}`));
  if (judged.ok) for (const text of judged.unproven) print(paint.yellow(`  ${text}`));
  print(judged.ok ? paint.green(success(results, troubles[0].action === "no_action")) : paint.red("The demo failed."));
  for (const { postmortem } of results) if (postmortem !== null) print(`Postmortem draft: ${postmortem.path}`);
  return { result: jsonResults(results), judged };
}

/** When a trouble began: with the last thing that was done, or, where there are several troubles, with what was done to its own object. */
function onsetOf({ culprit }: Trouble, several: boolean, happened: readonly SandboxEvent[]): number {
  const done = happened.filter(({ event }) => event !== "played");
  const own = done.findLast((event) => event.event === "deployed" && event.service === culprit);
  return (several ? own : undefined)?.at ?? done.at(-1)?.at ?? happened.at(-1)?.at ?? Date.now();
}

interface Follow {
  readonly scenario: string;
  readonly onset: number;
  readonly before: number;
  /** Whether a line is about the trouble that is followed. */
  readonly about: (line: WatchLine) => boolean;
}

/** Follows the first incident of a trouble after the break until it is closed and its postmortem stands, or the time is over. */
async function followIncident(
  watch: WatchProcess,
  {
    scenario,
    onset,
    before,
    about,
    timeoutMs,
    afterHeldMs,
  }: Follow & { readonly timeoutMs: number; readonly afterHeldMs: number },
): Promise<DemoResult> {
  const end = Date.now() + timeoutMs;
  const rest = () => Math.max(0, end - Date.now());
  const late = (line: WatchLine) => Date.parse(line.at) >= onset && about(line);
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
    const last = watch.lines.slice(before).findLast((line) => line.incident !== null && about(line));
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
  { scenario, onset, before, about, forMs, abort }: Follow & { readonly forMs: number; readonly abort: AbortSignal },
): Promise<DemoResult> {
  await wait(forMs, undefined, { signal: abort });
  const incidents = watch.lines
    .slice(before)
    .filter(about)
    .flatMap(({ incident }) => (incident === null ? [] : [incident]));
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

function success(results: readonly DemoResult[], quiet: boolean): string {
  const [first, ...others] = results;
  if (quiet)
    return first?.incident == null
      ? "Nothing was wrong, and nothing was done."
      : "No change was to blame, and nothing was done.";
  return others.length === 0
    ? "Recovered, because of this and nothing else: one write, on the guilty object, and visitors are served as before."
    : `Recovered: ${results.length} incidents apart, one write for each, on its own culprit, and visitors are served as before.`;
}
