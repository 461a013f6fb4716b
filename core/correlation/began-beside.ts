import { logSumExp } from "../detection/robust.ts";
import type { BeganBeside } from "../model/assessment.ts";
import type { Reason } from "../model/candidate.ts";
import type { Change } from "../model/change.ts";
import { besideText } from "./beside-text.ts";
import { changesAt, explainedBy } from "./changes-at.ts";
import { HURT_BY_MISSING_EDGE } from "./hurt-chances.ts";
import { chanceBeside, type Explained } from "./meeting.ts";
import { gapBetween, spreadOf } from "./onset-gap.ts";
import { ELSEWHERE } from "./origin.ts";
import type { CaseEvidence } from "./rank.ts";
import { FROM_CHANGES } from "./reasons.ts";
import { sharedChange } from "./shared-change.ts";
import type { Weighed } from "./unmeasured-cause.ts";
import { POSITIVE_NATS, tellsItsVersion } from "./version-signs.ts";
import { beginsWith } from "./wide-cause.ts";

/** Odds of "no change, but something that several services depend on" (a provider, a zone, name resolution) against a change. */
const BENEATH = ((1 - FROM_CHANGES) * (ELSEWHERE.external + ELSEWHERE.shared)) / FROM_CHANGES;

/** The reason that says that something beneath several services may be the cause. */
export const BEGAN_TOGETHER = "began-together";

/**
 * That something beneath several services, which nobody measures, failed, as part of "no change": where one of the same call
 * graph began to be degraded at the very onset of a change's service, and no call brings it there from what was changed
 * (`beganBeside`). Given the change, the other one has met it by chance, or by a call that nobody knows; something beneath both shows
 * at both. Timing is worth no more than what is known without it, as for what is not measured (`unmeasuredCause`): so the
 * odds against each change are those of such causes over the chance of the meeting. Two that meet in fine samples leave
 * the change suspected and no more; where so much is degraded that some always begin together it says little. Null
 * where each change is told by its version, or nothing began beside it. Pure.
 */
export function causeBeneathBoth(weighed: readonly Weighed[], seen: CaseEvidence): Reason | null {
  const isTold = ({ change, reasons }: Weighed) => tellsItsVersion(change, reasons, seen);
  const told = new Set(weighed.filter(isTold).map(({ change }) => change.service));
  const met = weighed.flatMap((one) => {
    if (isTold(one)) return [];
    const beside = beganBeside(one.change, told, seen);
    return beside === null ? [] : [{ ...one, beside }];
  });
  if (met.length === 0) return null;
  const logOdds = logSumExp(
    met.map((one) => one.logOdds + Math.log(BENEATH / Math.min(1, one.beside.byChance + HURT_BY_MISSING_EDGE))),
  );
  const sentence = besideText(met, seen);
  return { name: BEGAN_TOGETHER, logOdds, sentence };
}

/**
 * Degraded services of the same call graph that began at the very onset of a change's service and that it does not reach by
 * what is known: no callers of it or of what it floods, nothing that it calls, no part of the same release or flag, and nothing that
 * calls a degraded service itself or that its own new version explains (`told`). Those that are incidents of their own count as well,
 * and so do those of any call graph whom a cause reached that goes from one to the next (`siblings`). Null where there are none, or nobody knows who calls whom. Pure.
 */
export function beganBeside(change: Change, told: ReadonlySet<string>, seen: CaseEvidence): BeganBeside | null {
  const { caseFile, graph } = seen;
  if (!graph.known) return null;
  const degraded = [...seen.worse.keys()].filter((service) => (seen.harm.get(service) ?? 0) >= POSITIVE_NATS);
  const reached = reachedBy(change, seen);
  const hurt = new Set([...degraded, ...(caseFile.siblings?.services ?? [])]);
  const isRoot = (service: string) => ![...graph.callees(service)].some((one) => hurt.has(one));
  const others = degraded.filter((service) => !reached.has(service) && !told.has(service) && isRoot(service));
  const pivot = begunAt(change.service, seen) ?? { ...begun(seen, change.service), onset: seen.onset };
  const each = others.flatMap((service) => begunAt(service, seen) ?? []);
  const met = each.filter((one) => beginsWith(pivot, one));
  const siblings = seen.worse.has(change.service) ? caseFile.siblings : undefined;
  if (met.length === 0 && siblings === undefined) return null;
  const byChance = met.length === 0 ? 1 : chanceBeside(pivot, met, [pivot, ...each]);
  const services = [...met.flatMap((one) => one.services), ...(siblings?.services ?? [])];
  const own = met.length === 0 ? 0 : spreadOf([pivot, ...met].map(({ onset }) => onset));
  return {
    services: [...new Set(services)].sort(),
    withinMs: Math.max(own, siblings?.withinMs ?? 0),
    // Of those in other incidents it is known who was asked; of the rest, `reachedBy` tells.
    of: siblings === undefined || siblings.of.includes(change.service) ? [change.service] : [],
    byChance: byChance * (siblings?.byChance ?? 1),
  };
}

/** All that trouble which a change brings comes to by what is known. */
function reachedBy(change: Change, { caseFile, graph, overloaded }: CaseEvidence): ReadonlySet<string> {
  const asking = caseFile.flags.find(({ key }) => key === change.flag)?.services ?? [];
  const release = sharedChange(caseFile.changes).filter(({ changeIds }) => changeIds.includes(change.id));
  const places = new Set([change.service, ...asking, ...release.flatMap(({ services }) => services)]);
  const below = new Set(places);
  for (const one of below) for (const callee of graph.callees(one)) below.add(callee);
  const flooded = [...overloaded].filter(([, callers]) => [...places].some((place) => callers.has(place)));
  const above = [...places, ...flooded.map(([callee]) => callee)];
  return new Set([...below, ...above, ...above.flatMap((one) => [...graph.ancestors(one)])]);
}

/** When a degraded service began, by the signal of it that is nearest to the onset, and what explains that; null: not dated. */
function begunAt(service: string, seen: CaseEvidence): Explained | null {
  const { caseFile, worse, onset } = seen;
  const dated = caseFile.findings.flatMap((one) =>
    one.service === service &&
    one.verdict === "worse" &&
    worse.get(service)?.has(one.metric) === true &&
    one.onset !== null
      ? [one.onset]
      : [],
  );
  const [nearest] = dated.toSorted((a, b) => gapBetween(a, onset) - gapBetween(b, onset));
  if (nearest === undefined) return null;
  return { ...begun(seen, service), onset: nearest, ...explainedAt(service, nearest, caseFile) };
}

function explainedAt(service: string, onset: Explained["onset"], caseFile: CaseEvidence["caseFile"]) {
  const changes = changesAt(caseFile, [service], onset);
  return { isChanged: changes.length > 0, explainedMs: explainedBy(changes, caseFile.at) };
}

function begun({ index, onset, stepMs, caseFile }: CaseEvidence, service: string): Explained {
  const steps = index.metrics(service).map((one) => one.stepMs);
  const finest = steps.length === 0 ? stepMs : Math.min(...steps);
  return { services: [service], onset, stepMs: finest, ...explainedAt(service, onset, caseFile) };
}
