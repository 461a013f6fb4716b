import { createCallGraph } from "../../core/correlation/call-graph.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { isOfChanges } from "../../core/model/unheard.ts";
import { isBound } from "./allotting.ts";
import { areJoined, degradedOf } from "./degraded.ts";
import type { Pursuit } from "./pursuit.ts";

/**
 * A deploy is looked for as the cause of what begins up to an hour after it. Once an incident is older, and was judged
 * meanwhile, more samples of the same say nothing new about which change it was.
 */
const SETTLED_MS = 3_600_000;
/** What comes each day (a peak, a batch) can show what an hour did not. */
const DAY_MS = 24 * 3_600_000;

/** When an incident was judged, and upon what. */
export type Basis = NonNullable<Incident["judged"]>;

/**
 * What a judgement of an incident rests on, beside the values of its samples: the changes that can reach its services,
 * which of their signals are degraded, which policy conditions fire for them, and which sources of changes do not answer. Pure.
 */
export function basisOf(incident: Incident, focus: readonly string[], caseFile: CaseFile): Basis {
  const view = degradedOf(caseFile);
  const graph = createCallGraph(caseFile.topology);
  // Without a call graph a service is judged by what is done to itself, as in `scopeTo`.
  const reaches = (service: string) => focus.some((name) => areJoined(graph, name, service));
  const changes = caseFile.changes.filter(({ service }) => reaches(service)).map(({ id }) => id);
  const signals = focus.flatMap((name) =>
    view.signalsOf(name).map(({ service, metric, sure }) => [service, metric, sure]),
  );
  const firing = caseFile.conditions
    .filter(({ state, service }) => state === "firing" && focus.includes(service))
    .map(({ policy, condition, service }) => `${policy} ${condition} ${service}`);
  const { judged } = incident;
  const unheard = [...new Set(caseFile.gaps.filter(isOfChanges).map(({ source }) => source))].sort();
  const parts = [changes.toSorted(), signals.map((one) => one.join(" ")).sort(), firing.sort(), unheard];
  const basis = digest(JSON.stringify(parts));
  if (judged?.basis !== basis) return { at: caseFile.at, basis };
  return caseFile.at - judged.at < DAY_MS ? judged : { at: caseFile.at, basis, again: true };
}

/**
 * Whether nothing has been added to what an old incident was judged upon, for which nothing can be done from here: it
 * stays, quietly, and is judged again when a change, a signal or a day adds something.
 */
export function isSettled(incident: Incident, basis: Basis, { caseFile, parts }: Pursuit): boolean {
  const { decision } = incident;
  // What people have yet to hear is said first.
  if (incident.word?.other !== undefined) return false;
  if (isBound(incident) || incident.judged?.basis !== basis.basis) return false;
  if (decision?.action !== "no_action" && decision?.action !== "hotfix_recommendation") return false;
  // One evaluation a day is enough where the one before it, a day ago, was upon the same.
  const patienceMs = basis.again === true ? 1 : Math.max(SETTLED_MS, parts.config.feedback.timeoutMs);
  return caseFile.at - basis.at >= patienceMs;
}

/** FNV-1a over UTF-16 units, 32 bit: it tells a change of the text, and protects nothing. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}
