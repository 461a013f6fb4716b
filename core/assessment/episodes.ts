import { exhaustion } from "../correlation/exhaustion.ts";
import { hurts } from "../correlation/harm.ts";
import { isNear } from "../correlation/onset-gap.ts";
import { indexSeries, type SampleIndex } from "../correlation/samples.ts";
import { cameToItsLimit, gravityOf, NEARLY_AS_GRAVE, ofGravestClass } from "../correlation/trouble.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Change } from "../model/change.ts";
import type { Finding, Onset } from "../model/finding.ts";
import { GROWN } from "./grown.ts";

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
    if (last?.some(({ onset }) => isNear(onset, one.onset)) === true) last.push(one);
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
