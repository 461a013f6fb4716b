import type { Draw } from "../draw.ts";
import type { Told } from "../generate.ts";
import { DAY, type Grid, MINUTE, type Scenario } from "../world/model.ts";
import { simulate } from "../world/simulate.ts";
import { drawWander } from "../world/wander.ts";
import { writeAlerts } from "./alerts.ts";
import { writeLogs } from "./logs.ts";
import { observe, type SeriesLine } from "./series.ts";
import { writeSpans } from "./spans.ts";

/** File name → text, as docs/incident-bundle.md describes them. A file that would be empty is absent. */
export type BundleFiles = Readonly<Record<string, string>>;

const COARSE_STEP = 5 * MINUTE;

/** Writes a story down as the monitoring, the pipelines and the scorer would see it. */
export function toFiles({ scenario, truth, visibility }: Told, draw: Draw, id: string): BundleFiles {
  const { clock, system, evidence } = scenario;
  const grid: Grid = {
    start: clock.historyStart,
    stepMs: clock.stepMs,
    length: (clock.watchEnd - clock.historyStart) / clock.stepMs + 1,
  };
  const wander = drawWander(draw.stream("wander"), system, grid);
  const run = simulate(scenario, grid, wander);
  const wishes = {
    missing: draw.chance(0.5) ? draw.logUniform(0.0005, 0.01) : 0,
    gaps: scenario.gaps,
    unread: scenario.unread ?? [],
    lateStart: scenario.lateStart,
    pods: evidence.pods,
    coarse: false,
  };
  const hidden = new Set(scenario.unmeasured);
  const seen = ({ service }: { readonly service: string }) => !hidden.has(service);
  const series = [
    ...observe(run, wander, draw.stream("series"), wishes),
    ...coarse(scenario, draw.stream("coarse")),
  ].filter(seen);
  const observed = new Set(
    system.services.filter(({ tier, name }) => tier !== "external" && !hidden.has(name)).map(({ name }) => name),
  );
  const alerts = evidence.alerts ? writeAlerts(scenario, series, draw.stream("alerts")) : [];
  const logs = evidence.logs ? writeLogs(scenario, run, draw.stream("logs")).filter(seen) : [];
  const spans = evidence.spans ? writeSpans(scenario, run, draw.stream("spans")).filter(seen) : [];
  const files: Record<string, string> = {
    "incident.json": pretty({
      schema: 1,
      id,
      title: id,
      watch: { start: time(clock.watchStart), end: time(clock.watchEnd) },
      services: system.services
        .filter(({ name }) => observed.has(name))
        .map(({ name, namespace, criticality, revenuePerMinute }) => ({
          name,
          namespace,
          criticality,
          ...(revenuePerMinute === null ? {} : { revenue_per_minute: revenuePerMinute }),
        })),
      ...(scenario.human === null
        ? {}
        : {
            human: { ...scenario.human, ...(scenario.human.at === undefined ? {} : { at: time(scenario.human.at) }) },
          }),
    }),
    "series.jsonl": lines(series),
    "changes.jsonl": lines(scenario.changes.map(changeLine)),
    "logs.jsonl": lines(logs.map(({ at, ...rest }) => ({ at: time(at), ...rest }))),
    "spans.jsonl": lines(spans),
    "alerts.jsonl": lines(
      alerts.map(({ startsAt, endsAt, ...rest }) => ({
        ...rest,
        startsAt: time(startsAt),
        ...(endsAt === undefined ? {} : { endsAt: time(endsAt) }),
      })),
    ),
    "truth.json": pretty({
      family: scenario.family,
      faulty: truth.faulty,
      action: truth.action,
      acceptable: truth.acceptable,
      culprit: truth.culprit,
      targets: truth.targets,
      onset: truth.onset === null ? null : time(truth.onset),
      why: scenario.why,
      ...(truth.approval === null ? {} : { approval: truth.approval }),
      ...(truth.incidents === undefined
        ? {}
        : { incidents: truth.incidents.map(({ onset, ...part }) => ({ ...part, onset: time(onset) })) }),
      ...(truth.culprits === undefined ? {} : { culprits: truth.culprits }),
      ...(truth.guilty.length === 0 ? {} : { guilty: truth.guilty }),
      ...(visibility === null || visibility.at === null
        ? {}
        : { visible: { at: time(visibility.at), service: visibility.service, metric: visibility.metric } }),
    }),
  };
  if (evidence.topology)
    files["topology.json"] = pretty({
      edges: system.calls.map(({ caller, callee }) => [caller, callee]),
      external: system.services.filter(({ tier }) => tier === "external").map(({ name }) => name),
    });
  return Object.fromEntries(Object.entries(files).filter(([, text]) => text !== ""));
}

/** What the long-term store kept of the days before the watch: five-minute samples of three signals. */
function coarse(scenario: Scenario, draw: Draw): readonly SeriesLine[] {
  const { clock, system, evidence } = scenario;
  if (evidence.coarseDays === 0) return [];
  const length = Math.round((evidence.coarseDays * DAY) / COARSE_STEP);
  const grid: Grid = { start: clock.watchStart - length * COARSE_STEP, stepMs: COARSE_STEP, length };
  const wander = drawWander(draw.stream("wander"), system, grid);
  // Rollouts of past days are shorter than a sample: their faults, not their versions, are what such a store shows.
  const run = simulate(
    {
      ...scenario,
      changes: scenario.changes.filter(({ id }) => scenario.faults.some(({ because }) => because === id)),
    },
    grid,
    wander,
  );
  return observe(run, wander, draw.stream("series"), {
    coarse: true,
    pods: false,
    missing: 0.001,
    gaps: scenario.gaps,
    unread: scenario.unread ?? [],
    lateStart: [],
  });
}

function changeLine({ startedAt, finishedAt, shares: _, undoes: __, ...rest }: Scenario["changes"][number]) {
  const { id, kind, service, from, to, source, reversible, ...more } = rest;
  return {
    id,
    kind,
    service,
    from,
    to,
    started_at: time(startedAt),
    ...(finishedAt === null ? {} : { finished_at: time(finishedAt) }),
    source,
    reversible,
    ...more,
  };
}

const time = (at: number) => new Date(Math.round(at)).toISOString();
const pretty = (value: unknown) => `${JSON.stringify(value, null, 1)}\n`;
const lines = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
