import { createCallGraph } from "../correlation/call-graph.ts";
import { exhaustion } from "../correlation/exhaustion.ts";
import { hurts } from "../correlation/harm.ts";
import { indexSeries, type SampleIndex } from "../correlation/samples.ts";
import { cameToItsLimit, gravityOf, NEARLY_AS_GRAVE, ofGravestClass } from "../correlation/trouble.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { GROWN } from "./grown.ts";

/** Onsets further apart than this are two troubles, unless they touch within what is uncertain. */
const APART_MS = 600_000;

/** Findings of harm that hold now, of these services or of all. */
export function harmFindings(caseFile: CaseFile, services?: ReadonlySet<string>): readonly Finding[] {
  const index = indexSeries(caseFile.series, "version");
  return caseFile.findings.filter(
    (one) =>
      one.verdict === "worse" &&
      one.onset !== null &&
      Object.keys(one.labels).length === 0 &&
      hurts(index, one) &&
      (services === undefined || services.has(one.service)),
  );
}

/**
 * Services whose findings hang together: hurt at about the same time and joined by calls (directly, or through a
 * callee of both that nobody measures), or hurt at the very same time without any call between them, which one shared
 * cause explains better than two that met by chance. Without a call graph, all of one time. Each list sorted; lists
 * ordered by their earliest onset.
 */
export function episodes(caseFile: CaseFile): readonly (readonly string[])[] {
  const found = harmFindings(caseFile);
  const graph = createCallGraph(caseFile.topology);
  const measured = new Set(caseFile.series.map(({ service }) => service));
  const groups: { services: Set<string>; findings: Finding[] }[] = [];
  const joined = (a: string, b: string): boolean => {
    if (a === b || !graph.known) return true;
    if (graph.ancestors(a).has(b) || graph.ancestors(b).has(a)) return true;
    return [...graph.callees(a)].some((callee) => !measured.has(callee) && graph.callees(b).has(callee));
  };
  for (const finding of found) {
    const touching = groups.filter((group) =>
      group.findings.some(
        (other) =>
          sameOnset(finding.onset, other.onset) ||
          (joined(finding.service, other.service) && near(finding.onset, other.onset)) ||
          finding.service === other.service,
      ),
    );
    const merged = {
      services: new Set([finding.service, ...touching.flatMap(({ services }) => [...services])]),
      findings: [finding, ...touching.flatMap(({ findings }) => findings)],
    };
    for (const group of touching) groups.splice(groups.indexOf(group), 1);
    groups.push(merged);
  }
  const first = (findings: readonly Finding[]) => Math.min(...findings.map(({ onset }) => onset?.at ?? Infinity));
  return groups.sort((a, b) => first(a.findings) - first(b.findings)).map(({ services }) => [...services].sort());
}

/**
 * The episode that the focus belongs to, grown by what was hurt with it since; without a focus the gravest episode.
 */
export function servicesMeant(caseFile: CaseFile, focus?: readonly string[]): readonly string[] {
  const found = episodes(caseFile);
  if (focus === undefined) {
    const gravity = (services: readonly string[]) =>
      Math.max(...harmFindings(caseFile, new Set(services)).map(gravityOf));
    return [...found].sort((a, b) => gravity(b) - gravity(a))[0] ?? [];
  }
  const together = found.filter((services) => services.some((service) => focus.includes(service)));
  return [...new Set([...focus, ...together.flat()])].sort();
}

const gapBetween = (a: Onset, b: Onset): number => Math.max(a.earliest - b.latest, b.earliest - a.latest, 0);

function near(a: Onset | null, b: Onset | null): boolean {
  return a !== null && b !== null && gapBetween(a, b) <= APART_MS;
}

/** An onset that is known to no better than ten minutes, as of most drifts, falls together with anything. */
function sameOnset(a: Onset | null, b: Onset | null): boolean {
  if (a === null || b === null || gapBetween(a, b) > 0) return false;
  return [a, b].every(({ earliest, latest }) => latest - earliest <= APART_MS);
}

/**
 * When an episode began, from its findings: those of one time are taken together, the gravest such group counts (an
 * old small deviation must not lend its onset to a new grave one), and within it, of those of the gravest class (late
 * answers lend nothing to failed requests) at least a third as grave as the gravest, the finding that was surely off
 * first. Where a drift came to its limit, or something was used up before, it began with that; where what people know of
 * has grown, with the growth. Null where no finding has an onset.
 */
export function episodeOnset(
  findings: readonly Finding[],
  index: SampleIndex,
  changes: readonly Change[] = [],
): Onset | null {
  const grown = findings.filter(({ detector }) => detector === GROWN);
  if (grown.length > 0 && grown.length < findings.length) return episodeOnset(grown, index, changes);
  const crept = cameToItsLimit(findings, index);
  if (crept !== null) return crept.onset;
  const usedUp = exhaustion(findings, index, changes);
  if (usedUp !== null) return usedUp.onset;
  const dated = findings
    .flatMap((finding) => (finding.onset === null ? [] : [{ finding, onset: finding.onset }]))
    .sort((a, b) => a.onset.at - b.onset.at);
  const clusters: (typeof dated)[] = [];
  for (const one of dated) {
    const last = clusters.at(-1);
    if (last?.some(({ onset }) => gapBetween(onset, one.onset) <= APART_MS) === true) last.push(one);
    else clusters.push([one]);
  }
  const gravity = (cluster: typeof dated) => Math.max(...cluster.map(({ finding }) => gravityOf(finding)));
  const gravest = clusters.sort((a, b) => gravity(b) - gravity(a))[0];
  if (gravest === undefined) return null;
  const ofClass = new Set(ofGravestClass(gravest.map(({ finding }) => finding)));
  const least = Math.max(0, ...[...ofClass].map(gravityOf)) * NEARLY_AS_GRAVE;
  return gravest
    .filter(({ finding }) => ofClass.has(finding) && gravityOf(finding) >= least)
    .reduce((best, one) => (one.onset.latest < best.onset.latest ? one : best)).onset;
}
