import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createIncidentLabels } from "../../agent/cli/incident-labels.ts";
import { UnshipError } from "../../core/errors.ts";
import { durationText } from "../../core/model/time.ts";
import type { SandboxEvent } from "../sandbox/acts.ts";
import { isScenarioName, SCENARIO_NAMES, SCENARIOS, type Scenario, type ScenarioName } from "../sandbox/scenarios.ts";
import type { CulpritRecord } from "./culprit-record.ts";
import {
  DEMO_DURATIONS,
  type Durations,
  PROMETHEUS_DEMO_DURATIONS,
  REAL_DEMO_DURATIONS,
  SEED_DURATIONS,
} from "./durations.ts";
import { type Follow, followIncident, followQuiet, onsetOf } from "./follow.ts";
import { REAL_TITLES, requireControlPlane } from "./real-parts.ts";
import { type Judged, jsonResults } from "./result.ts";
import { openSandboxStage, type StageOptions } from "./sandbox-stage.ts";
import type { Stage } from "./stage.ts";
import { paints, storyLine, successWords, table, waitLine } from "./story.ts";
import { isAbout, judgeTogether, troublesOf } from "./troubles.ts";
import { createWaits } from "./waits.ts";
import { startWatch, type WatchLine } from "./watch-process.ts";
import { blindness, isNoticed } from "./watch-sight.ts";

export interface DemoOptions {
  readonly scenario: string;
  readonly realTime: boolean;
  /** Debian's Prometheus instead of the embedded scraper. */
  readonly prometheus: boolean;
  /** A folder with the programs of a real control plane, which takes the sandbox's place. */
  readonly realKubernetes?: string;
  readonly directory?: string;
  readonly colour: boolean;
  /** How wide the terminal is. */
  readonly columns: number;
}

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
 * The main job, live: starts the sandbox (or a real control plane) and, in a process of its own, a watch that knows nothing
 * but the system's endpoints; breaks the system; follows what the watch does until the incident is over; judges by the
 * system's own record. `print` gets whole lines.
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
  if (options.realKubernetes !== undefined) requireControlPlane(options.realKubernetes, options.scenario);
  const scenario: Scenario = SCENARIOS[options.scenario];
  const durations = durationsOf(options);
  const paint = paints(options.colour);
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "unship-demo-"));
  mkdirSync(directory, { recursive: true });

  const title = options.realKubernetes === undefined ? undefined : REAL_TITLES[options.scenario];
  print(paint.bold(`unship demo: ${title ?? scenario.title}`));
  print(paint.dim(`  everything is in ${directory}`));
  await using stage = await openStage({ ...options, scenario: options.scenario }, { directory, durations, print });
  const { config, variables } = stage;
  await using watch = startWatch({ directory, config, variables });
  let onset: number | null = null;
  const labels = createIncidentLabels();
  const waitsOf = createWaits(durations);
  watch.onLine((line) => {
    const text = storyLine(line, onset, paint, options.columns, labels.next(line.incident));
    if (text !== null) print(text);
    const waits = waitsOf(line);
    if (waits !== null) print(waitLine(waits, paint, options.columns));
  });
  if ((await watch.until(({ event }) => event === "watch.started", START_MS)) === null) {
    throw new UnshipError("input.invalid", {
      what: "the watch",
      reason: `it did not start; see ${join(directory, "watch.stderr.log")}`,
    });
  }
  print(waitLine(`until it has a baseline: ${durationText(stage.warmUpMs)} without a change`, paint, options.columns));
  await wait(stage.warmUpMs, undefined, { signal: abort });

  const before = watch.lines.length;
  const troubles = troublesOf(options.scenario);
  await using records = new AsyncDisposableStack();
  const states: CulpritRecord[][] = [];
  for (const { culprit, action } of troubles) {
    const kind = action === "feature_flag_disable" ? "flag" : "deployment";
    const followed = culprit === null ? [] : [await stage.follow({ kind, name: culprit })];
    states.push(followed.map((record) => records.use(record)));
  }
  const happened: SandboxEvent[] = [];
  await stage.play((event) => {
    happened.push(event);
    if (event.event !== "played") print(paint.red(`  now       ${tell(event)}`));
    if (troubles.length === 1 || onset === null) onset = event.at;
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
        writes: stage.writes(),
        traffic: stage.traffic(trouble.world),
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
  print(
    judged.ok ? paint.green(successWords(results, troubles[0].action === "no_action")) : paint.red("The demo failed."),
  );
  const drafts = new Set(results.flatMap(({ postmortem }) => postmortem?.path ?? []));
  for (const path of drafts) print(`Postmortem draft: ${path}`);
  return { result: jsonResults(results), judged };
}

/** The example's durations where asked for; on a real cluster an evaluation takes longer than the demo's step. */
function durationsOf({ realTime, realKubernetes, prometheus }: DemoOptions): Durations {
  if (realTime) return SEED_DURATIONS;
  if (realKubernetes !== undefined) return REAL_DEMO_DURATIONS;
  return prometheus ? PROMETHEUS_DEMO_DURATIONS : DEMO_DURATIONS;
}

async function openStage(
  { realKubernetes, prometheus, scenario }: DemoOptions & { readonly scenario: ScenarioName },
  given: Pick<StageOptions, "directory" | "durations" | "print">,
): Promise<Stage> {
  const options = { ...given, prometheus, scenario };
  if (realKubernetes === undefined) return openSandboxStage(options);
  const { openRealStage } = await import("./real-stage.ts");
  return openRealStage({ ...options, folder: realKubernetes });
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
