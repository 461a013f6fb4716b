import { beyondOld, countedPairs } from "../correlation/beyond-old.ts";
import type { SampleIndex } from "../correlation/samples.ts";
import { ALARM_NATS, MATERIAL_ERROR_RATIO } from "../detection/evidence.ts";
import { withUnit } from "../detection/meaning.ts";
import type { Change } from "../model/change.ts";
import type { Finding } from "../model/finding.ts";
import { GROWN } from "./grown.ts";

/** No single sample makes an alarm, as in detection: where pods start, one may be wild. */
const LEAST_SAMPLES = 2;

/**
 * The finding of a service that failed before it was changed and whose new version fails more than the old one beside it:
 * dated by that change, since what tells the versions apart tells what it adds, however little or soon it is beside what was
 * there before. Of the newest change of the service alone, and with as much evidence as a new alarm needs. Null where nobody
 * changed the service after it began to fail, or where nothing tells the versions apart. Pure.
 */
export function toldApart(
  finding: Finding,
  index: SampleIndex,
  changes: readonly Change[],
  at: number,
): Finding | null {
  const { onset, verdict, service, metric, labels } = finding;
  if (onset === null || verdict !== "worse" || metric !== "error_rate" || Object.keys(labels).length > 0) return null;
  const newest = changes
    .filter((one) => one.service === service && one.kind !== "flag" && one.startedAt <= at)
    .reduce<Change | null>((last, one) => (last === null || one.startedAt >= last.startedAt ? one : last), null);
  if (newest === null || newest.ownRollback === true || newest.startedAt <= onset.latest) return null;
  const stepMs = index.byVersion(service, metric).get(newest.to)?.stepMs ?? 0;
  const pairs = countedPairs(index, newest, newest.startedAt, at);
  const beyond = beyondOld(pairs, stepMs);
  const first = pairs[0];
  if (first === undefined || beyond === null || beyond.samples < LEAST_SAMPLES || beyond.nats < ALARM_NATS) return null;
  if (beyond.fresh - beyond.old < MATERIAL_ERROR_RATIO) return null;
  const [fresh, old] = [withUnit(beyond.fresh, finding.unit), withUnit(beyond.old, finding.unit)];
  return {
    ...finding,
    detector: GROWN,
    onset: { at: Math.max(newest.startedAt, first.at - stepMs), earliest: newest.startedAt, latest: first.at },
    baseline: beyond.old,
    current: Math.max(beyond.old, finding.current ?? beyond.fresh),
    samples: beyond.samples,
    strength: beyond.nats,
    because: `${service} failed before, and ${newest.to} then failed ${fresh} of its requests beside ${old} of the version before it`,
  };
}
