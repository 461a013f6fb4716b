import { believableRollouts, silentAfter } from "../../core/detection/silence.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { type Degraded, degradedOf, levelsIn, type Signal } from "./degraded.ts";
import { active, servicesOf, worse } from "./incident-state.ts";

/** One signal of an incident: its levels, and how often it was measured back since it was last degraded. */
export type OwnSignal = NonNullable<Incident["signals"]>[number];

/** How the signals of one incident stand now. */
export interface Standing {
  readonly signals: readonly OwnSignal[];
  /** Signals that are degraded, or as far off as they were when they were. */
  readonly degraded: readonly string[];
  /** Signals of which nothing is known at the moment. Silence is neither degradation nor its end (S9). */
  readonly unseen: readonly string[];
}

/**
 * Services whose signals are the incident's own: those that it holds, without those that another open incident was
 * opened for. What happens to these is the other one's to tell.
 */
export function ownServices(incident: Incident, open: readonly Incident[]): readonly string[] {
  const trouble = new Set(incident.trouble ?? []);
  const others = new Set(
    open.flatMap((one) =>
      one.id === incident.id ? [] : servicesOf(one).filter((name) => one.trouble?.includes(name)),
    ),
  );
  const own = servicesOf(incident).filter((name) => trouble.has(name) || !others.has(name));
  return own.length > 0 ? own : servicesOf(incident);
}

/**
 * Reads how the incident's own signals stand. No signal is measured back while a test or a policy speaks against it. Else the
 * detector's test decides, where it found the degradation over: it knows how far the signal strays by itself. Where no test
 * speaks, a fresh sample has to be nearer to the level before than to that of the degradation. A policy's condition that is
 * only pending speaks against it unless the signal is back in one of these ways: a threshold that lies within its usual
 * range would keep an incident open for ever. Pure. `stepMs`: the watch's step.
 */
export function standingOf(
  incident: Incident,
  services: readonly string[],
  caseFile: CaseFile,
  stepMs: number,
): Standing {
  const view = degradedOf(caseFile);
  const seen = sightOf(caseFile, stepMs);
  const own = new Set(services);
  const known = new Map(
    recorded(incident)
      .filter(({ service }) => own.has(service))
      .map((one) => [keyOf(one), one] as const),
  );
  for (const service of services) {
    for (const signal of view.signalsOf(service))
      if (signal.sure && !known.has(keyOf(signal))) known.set(keyOf(signal), { ...levelsOf(signal), well: 0 });
  }
  const degraded: string[] = [];
  const unseen: string[] = [];
  const signals = [...known.values()].map((one): OwnSignal => {
    const state = stateOf(one, view, seen, caseFile);
    if (state === "degraded") degraded.push(nameOf(one));
    if (state === "unseen") unseen.push(nameOf(one));
    const now = view.of(one.service, one.metric);
    if (now?.sure === true) {
      const { over: _, ...rest } = one;
      return { ...rest, usual: one.usual ?? now.usual, bad: now.bad ?? one.bad, well: 0 };
    }
    const well = state === "degraded" ? 0 : one.well + (state === "back" ? 1 : 0);
    return { ...one, well, ...(isFoundOver(one, caseFile) ? { over: true as const } : {}) };
  });
  return { signals, degraded, unseen };
}

function stateOf(one: OwnSignal, view: Degraded, seen: Sight, caseFile: CaseFile): "degraded" | "unseen" | "back" {
  const now = view.of(one.service, one.metric);
  if (now?.sure === true) return "degraded";
  if (!seen.isSeen(one.service, one.metric)) return "unseen";
  if (one.over === true || isFoundOver(one, caseFile)) return "back";
  const value = seen.newest(one.service, one.metric);
  const { usual, bad } = one;
  const hasLevels = value !== null && usual !== null && bad !== null && bad !== usual;
  if (hasLevels) return Math.abs(value - usual) < Math.abs(value - bad) ? "back" : "degraded";
  return now === undefined ? "back" : "degraded";
}

/**
 * Whether the signal's test says that it is no worse than before the degradation. A test that gave up, and took the
 * degradation's level for normal, compares with that: what it says then is no answer to this.
 */
function isFoundOver({ service, metric, usual, bad }: OwnSignal, { findings }: CaseFile): boolean {
  return findings.some(
    (one) =>
      one.service === service &&
      one.metric === metric &&
      one.verdict === "no-worse" &&
      Object.keys(one.labels).length === 0 &&
      (one.baseline === null ||
        usual === null ||
        bad === null ||
        Math.abs(one.baseline - usual) < Math.abs(one.baseline - bad)),
  );
}

/** The signals that an incident has recorded; of one that an earlier version opened, those that its evidence names. */
function recorded(incident: Incident): readonly OwnSignal[] {
  if (incident.signals !== undefined) return incident.signals;
  const whole = worse(incident.findings).filter(({ labels }) => Object.keys(labels).length === 0);
  return [
    ...active(incident.conditions).map(({ service, metric }) => ({ service, metric, usual: null, bad: null, well: 0 })),
    ...whole.map((finding) => ({
      service: finding.service,
      metric: finding.metric,
      ...levelsIn(finding),
      well: 0,
    })),
  ];
}

const levelsOf = ({ service, metric, usual, bad }: Signal) => ({ service, metric, usual, bad });
const keyOf = ({ service, metric }: { readonly service: string; readonly metric: string }): string =>
  JSON.stringify([service, metric]);
const nameOf = ({ service, metric }: OwnSignal): string => `${service} ${metric}`;

interface Sight {
  isSeen(service: string, metric: string): boolean;
  /** The newest sample, where it is fresh; null: there is none. */
  newest(service: string, metric: string): number | null;
}

/** What can be seen in one snapshot: only a signal that is read and found well says that it is over (S9). */
function sightOf(caseFile: CaseFile, stepMs: number): Sight {
  const believed = believableRollouts(caseFile.rollouts, caseFile.at, stepMs);
  const newest = (service: string, metric: string): number | null => {
    const series = caseFile.series.find(
      (one) => one.service === service && one.metric === metric && Object.keys(one.labels).length === 0,
    );
    const last = series?.values.findLastIndex((value) => value !== null) ?? -1;
    if (series === undefined || last < 0) return null;
    const isFresh = caseFile.at - (series.startAt + last * series.stepMs) <= silentAfter(series.stepMs);
    return isFresh ? (series.values[last] ?? null) : null;
  };
  return {
    newest,
    isSeen(service, metric) {
      const is = (one: { readonly service: string; readonly metric: string }) =>
        one.service === service && one.metric === metric;
      const findings = caseFile.findings.filter((one) => is(one) && Object.keys(one.labels).length === 0);
      const conditions = caseFile.conditions.filter(is);
      if (findings.some(({ verdict }) => verdict === "unknown") || conditions.some(({ state }) => state === "unknown"))
        return false;
      if (findings.length > 0 || conditions.length > 0) return true;
      const own = believed.filter((rollout) => rollout.service === service);
      if (metric === "health_check_failures" && own.length > 0) return own.every(({ status }) => status !== "unknown");
      return newest(service, metric) !== null;
    },
  };
}
