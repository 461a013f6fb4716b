import { type ChangeMaker, changeMaker, number } from "../scenarios/background.ts";
import type { Draw } from "../scenarios/draw.ts";
import { type BundleFiles, toFiles } from "../scenarios/observe/bundle.ts";
import type { SeriesLine } from "../scenarios/observe/series.ts";
import { atStep, withoutVersionSplit } from "../scenarios/variants.ts";
import {
  type Clock,
  type Fault,
  type FixedLine,
  type Gap,
  MINUTE,
  type PlannedChange,
  type Scenario,
  SECOND,
  type ServiceModel,
  type SystemModel,
} from "../scenarios/world/model.ts";
import { drawSystem } from "../scenarios/world/system.ts";
import { deriveTruth, type Truth } from "../scenarios/world/truth.ts";
import { type PodsRecorded, podSeries } from "./pods.ts";

/** Services that call nobody as far as anybody knows, and that somebody outside calls: each has traffic of its own. */
export interface ApartWorld {
  readonly draw: Draw;
  readonly system: SystemModel;
  readonly clock: Clock;
  readonly changes: ChangeMaker;
  /** When what is told begins. Unix ms. */
  readonly moment: number;
  /** Seconds between samples as they are recorded. */
  readonly stepSeconds: number;
}

/** What happens in one. */
export interface ApartPlot {
  readonly name: string;
  readonly why: string;
  readonly changes: readonly PlannedChange[];
  readonly faults: readonly Fault[];
  readonly gaps?: readonly Gap[];
  readonly lines?: readonly FixedLine[];
  /** Whether logs are read at all, and whether signals and lines say which version they are of. */
  readonly logs: boolean;
  readonly versions: boolean;
  /** How the readiness of the pods of services is recorded while these changes deploy them; absent: of whole services alone. */
  readonly pods?: { readonly of: readonly PlannedChange[]; readonly recorded: PodsRecorded };
  /** Who calls whom, as far as it is known; absent: nothing is. */
  readonly topology?: { readonly edges: readonly (readonly [string, string])[]; readonly external: readonly string[] };
  /** Deploys of services that nothing measures. */
  readonly elsewhere?: readonly { readonly service: string; readonly at: number }[];
}

export interface ApartCase {
  readonly name: string;
  /** When what the case is about begins, Unix ms. */
  readonly moment: number;
  readonly files: BundleFiles;
  readonly truth: Truth;
}

/** The steps at which real systems are scraped: Prometheus' default is 60 s, its examples and operators take 15 to 30 s, fine ones 5 s. */
const STEP_SECONDS = [5, 15, 60];
const HISTORY_MS = 60 * MINUTE;
const NOON = Date.UTC(2026, 5, 3, 12);
/** `drawSystem` names no more services than this. */
const MOST_AT_ONCE = 50;

/** Draws a world of `services` services; the watch runs from five minutes before the moment for `watchMinutes`. */
export function drawApart(draw: Draw, services: number, watchMinutes: number): ApartWorld {
  const parts = Math.ceil(services / MOST_AT_ONCE);
  const each = Math.ceil(services / parts);
  const systems = Array.from({ length: parts }, (_, part) =>
    drawSystem(draw.stream(`system/${part}`), { services: [each, each], store: false, external: false }),
  );
  const traffic = systems[0]?.traffic;
  if (traffic === undefined) throw new RangeError("a world needs services");
  const rates = draw.stream("rates");
  const apart = systems.flatMap((system, part) =>
    system.services.map((service) => onItsOwn(service, part, rates.logUniform(0.5, 200))),
  );
  const stepSeconds = draw.pick(STEP_SECONDS);
  // A minute's samples are made of finer ones, as a recording rule would.
  const stepMs = Math.min(15, stepSeconds) * SECOND;
  const watchStart = NOON;
  const moment = watchStart + 5 * MINUTE + draw.integer(0, 59) * SECOND;
  const clock = {
    historyStart: watchStart - HISTORY_MS,
    watchStart,
    watchEnd: watchStart + watchMinutes * MINUTE,
    stepMs,
  };
  return {
    draw,
    system: { services: apart.slice(0, services), calls: [], traffic },
    clock,
    changes: changeMaker(draw.stream("changes")),
    moment,
    stepSeconds,
  };
}

function onItsOwn(service: ServiceModel, part: number, rate: number): ServiceModel {
  return {
    ...service,
    name: part === 0 ? service.name : `${service.name}-${part + 1}`,
    tier: "entry",
    directRate: rate,
    expectedRate: rate,
    pods: Math.max(2, Math.min(24, Math.round(rate / 15))),
  };
}

/** Writes a plot down as the monitoring would see it, with its truth by experiment. */
export function toCase({ draw, system, clock, stepSeconds, moment }: ApartWorld, plot: ApartPlot): ApartCase {
  const scenario: Scenario = {
    family: plot.name,
    why: plot.why,
    clock,
    system,
    changes: number(plot.changes, system),
    faults: plot.faults,
    gaps: plot.gaps ?? [],
    lines: plot.lines ?? [],
    lateStart: [],
    evidence: { logs: plot.logs, spans: false, alerts: false, pods: false, coarseDays: 0, topology: false },
    human: null,
  };
  const truth = deriveTruth(scenario);
  const observed = toFiles({ scenario, truth, visibility: null }, draw.stream("observed"), plot.name);
  const told = withPods(plot.versions ? observed : withoutVersionSplit(observed), observed, scenario, plot, draw);
  const others = (plot.elsewhere ?? []).map(({ service, at }) => elsewhereLine(service, at));
  const files = {
    ...told,
    "changes.jsonl": `${told["changes.jsonl"] ?? ""}${others.join("")}`,
    ...(plot.topology === undefined ? {} : { "topology.json": JSON.stringify(plot.topology) }),
  };
  return { name: plot.name, moment, files: atStep(files, stepSeconds), truth };
}

/** The bundle with the readiness of pods, and with the traffic of the versions that these run. */
function withPods(
  told: BundleFiles,
  observed: BundleFiles,
  scenario: Scenario,
  plot: ApartPlot,
  draw: Draw,
): BundleFiles {
  const { pods, faults, versions } = plot;
  if (pods === undefined) return told;
  const ids = new Set(pods.of.map(({ id }) => id));
  const more = scenario.changes
    .filter(({ id }) => ids.has(id))
    .flatMap((change): readonly SeriesLine[] => {
      const service = scenario.system.services.find(({ name }) => name === change.service);
      if (service === undefined) return [];
      const deployed = { service, change, faults, clock: scenario.clock };
      const traffic = versions ? [] : trafficByVersion(observed, change.service);
      return [...traffic, ...podSeries(deployed, pods.recorded, draw.stream(`pods/${change.id}`))];
    });
  const lines = more.map((line) => `${JSON.stringify(line)}\n`).join("");
  return { ...told, "series.jsonl": `${told["series.jsonl"] ?? ""}${lines}` };
}

const trafficByVersion = (files: BundleFiles, service: string): readonly SeriesLine[] =>
  (files["series.jsonl"] ?? "")
    .trim()
    .split("\n")
    .map((line): SeriesLine => JSON.parse(line))
    .filter((one) => one.service === service && one.metric === "request_rate" && one.labels?.version !== undefined);

/** A deploy that a pipeline reports, of a service that nobody measures. */
const elsewhereLine = (service: string, at: number): string =>
  `${JSON.stringify({
    id: `deploy-${service}-elsewhere`,
    kind: "deploy",
    service,
    from: "v1.0.0",
    to: "v1.1.0",
    started_at: new Date(at).toISOString(),
    finished_at: new Date(at + MINUTE).toISOString(),
    source: "github-actions",
    reversible: true,
  })}\n`;
