import type { Config } from "../config/config.ts";
import { isHarm, isResource, withUnit } from "../detection/meaning.ts";
import { createLevelNormal, levelSurprises, scaled, unscaled } from "../detection/normal-level.ts";
import { locateOnset } from "../detection/onset.ts";
import { median, robustScale } from "../detection/robust.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Finding } from "../model/finding.ts";
import type { Series } from "../model/signal.ts";
import type { Sources } from "../ports.ts";
import { createAssessor } from "./assessor.ts";
import { createContextReader } from "./context.ts";

/** What somebody points at; without a metric, whatever of the service is furthest off. */
export interface Symptom {
  readonly service: string;
  readonly metric?: string;
}

/** The onset is sought among so many of the newest samples, as by the running test. */
const ONSET_SLOTS = 240;
/** Fewer samples than this have no usual level. */
export const LEAST_SAMPLES = 4;
/** Evidence read beside the samples reaches back at least so far. */
const CONTEXT_MS = 1_800_000;

/**
 * Everything known at `now` about a symptom that somebody points at, whether or not a detector noticed it: all samples
 * that are kept, and a finding of detector "pointed-at" where none speaks of it yet. A source that fails is a gap.
 */
export async function gatherPointedAt(
  { sources, config }: { readonly sources: Sources; readonly config: Config },
  symptom: Symptom,
  now: number,
  abort: AbortSignal,
): Promise<CaseFile> {
  const assessor = createAssessor({ sources, config });
  const gathered = await assessor.gather(now, abort);
  const caseFile = pointAt({ ...gathered, series: assessor.engine.recent({ from: 0, to: now }) }, symptom);
  const onsets = (findings: readonly Finding[]) =>
    findings.flatMap(({ onset, verdict }) => (onset === null || verdict !== "worse" ? [] : [onset.earliest]));
  const since = Math.min(now - CONTEXT_MS, ...onsets(caseFile.findings));
  if (since >= Math.min(now - CONTEXT_MS, ...onsets(gathered.findings))) return caseFile;
  // The symptom began before whatever the detectors found: what was written about that time belongs to the case.
  const context = { now, abort, gaps: [...gathered.gaps] };
  return { ...caseFile, ...(await createContextReader(sources, config)(context, since)), gaps: context.gaps };
}

/**
 * The case with the symptom as a finding; unchanged where a detector found it already, or where nothing of the service
 * is measured. Its `strength` says what the samples say of it: at most 0 where they are as usual. Pure.
 */
export function pointAt(caseFile: CaseFile, symptom: Symptom): CaseFile {
  const isMeant = ({ service, metric, labels }: Pick<Finding, "service" | "metric" | "labels">) =>
    service === symptom.service &&
    (symptom.metric === undefined || metric === symptom.metric) &&
    Object.keys(labels).length === 0;
  const known = caseFile.findings.some((one) => one.verdict === "worse" && one.onset !== null && isMeant(one));
  if (known && symptom.metric !== undefined) return caseFile;
  const whole = caseFile.series.filter(isMeant);
  const harmful = whole.filter(({ metric, worse }) => isHarm(metric, worse));
  if (known && caseFile.findings.some((one) => one.verdict === "worse" && isMeant(one) && !isResource(one.metric)))
    return caseFile;
  const found = (harmful.length > 0 ? harmful : whole).flatMap((series) => symptomFinding(series, caseFile.at));
  const clearest = found.reduce<Finding | null>(
    (best, one) => (best === null || one.strength > best.strength ? one : best),
    null,
  );
  if (clearest === null) return caseFile;
  const others = caseFile.findings.filter((one) => !(isMeant(one) && one.metric === clearest.metric));
  return { ...caseFile, findings: [clearest, ...others] };
}

/**
 * One signal against what is usual for it: the median of all its samples and their robust deviation, so that trouble
 * shorter than half of what is kept does not move it. Where it began: the change point after which the samples, taken
 * together, are least usual (`locateOnset`). `usual`: the samples that say what is usual, where it is not all of them.
 */
export function symptomFinding(
  series: Series,
  at: number,
  usual: readonly (number | null)[] = series.values,
): readonly Finding[] {
  const values = usual.filter((value) => value !== null);
  if (values.length < LEAST_SAMPLES) return [];
  const normal = createLevelNormal(values, series.worse, series.metric);
  const scale = robustScale(
    values.map((value) => scaled(normal, value)),
    normal.mean,
  );
  // Nothing is steadier than a fifth of the least shift that matters, as in the running test.
  normal.variance = Math.max(scale, normal.material / 5) ** 2;
  normal.covariance = normal.variance / 2;
  const from = Math.max(0, series.values.length - ONSET_SLOTS);
  const surprise = levelSurprises(normal);
  const surprises = series.values
    .slice(from)
    .map((value) => (value === null ? Number.NaN : surprise(scaled(normal, value))));
  const onset = locateOnset(surprises, series.startAt + from * series.stepMs, series.stepMs);
  if (onset === null) return [];
  const since = series.values.filter(
    (value, index) => value !== null && series.startAt + index * series.stepMs > onset.at,
  );
  const present = median(since.filter((value) => value !== null));
  const strength = strongest(surprises);
  const baseline = series.metric === "error_rate" ? median(values) : unscaled(normal, normal.mean);
  const told = `${series.metric} of ${series.service} is pointed at: ${withUnit(present, series.unit)}, usually ${withUnit(baseline, series.unit)}`;
  return [
    {
      detector: "pointed-at",
      service: series.service,
      metric: series.metric,
      labels: {},
      unit: series.unit,
      verdict: "worse",
      onset,
      detectedAt: at,
      baseline,
      current: present,
      samples: since.length,
      strength,
      because: strength > 0 ? told : `${told}; its own samples do not say that anything is wrong`,
    },
  ];
}

/** The largest sum of a tail: the evidence that something began somewhere and went on until now. Missing samples say nothing. */
function strongest(surprises: readonly number[]): number {
  let sum = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (const surprise of surprises.toReversed()) {
    if (Number.isNaN(surprise)) continue;
    sum += surprise;
    most = Math.max(most, sum);
  }
  return Math.min(700, most);
}
