import { evidenceAbout } from "../../core/assessment/partition.ts";
import { LEAST_GROUPS } from "../../core/correlation/wide-cause.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import type { Allotment } from "./allotting.ts";
import { finish, QUIET_STEPS } from "./ending.ts";
import { hasSameCause, joinedBy, openIncident, servicesOf, withServices, withSuperseded } from "./incident-state.ts";
import { belongs, type Lingering } from "./lingering.ts";
import { likeliestNewcomer, movedBy, type Newcomer, newcomers, suspectText } from "./newcomers.ts";
import { type Evaluation, escalate } from "./pursuit.ts";
import { noticed } from "./wording.ts";

/** Brings the open incidents' services up to the allotment: what each is judged by, what leaves it, what became one. */
export async function settleServices({ homes, left, merged }: Allotment, evaluation: Evaluation): Promise<void> {
  const { at } = evaluation.caseFile;
  for (const { from, into } of merged) {
    await evaluation.step(from.id, async (incident, pursuit) => {
      const services = servicesOf(incident);
      await pursuit.amend(into.id, (one) => joinedBy(one, services, at));
      const detail = `What it saw is degraded together with ${into.id}, and goes on there.`;
      await finish({ ...incident, joined: into.id }, "withdrawn", detail, pursuit);
    });
  }
  for (const [id, services] of homes) {
    const isWide = hasWideCause(services, evaluation);
    await evaluation.amend(id, (one) => ({
      ...withServices(one, services, left.get(id) ?? [], at),
      ...(isWide ? { wide: true } : {}),
    }));
  }
}

/** Whether a large part of all that is measured began to be degraded with these services, changed by nobody. */
const hasWideCause = (services: readonly string[], { caseFile, parts }: Evaluation): boolean =>
  services.length >= LEAST_GROUPS &&
  evidenceAbout(caseFile, services, parts.config.versionLabel).coincidence !== undefined;

/**
 * Opens an incident for a group of degraded services that no incident is judged by. What is known already is asked about
 * anew where somebody changed something since it was planned or dealt with, or where it began only after that: it opens an
 * incident of its own where the evidence blames a change that was not judged then, and only so. Else it would open anew at every
 * evaluation. Where such a change is suspected and no more, people hear of it once the act before it is verified.
 */
export async function openFor(
  services: readonly string[],
  evaluation: Evaluation,
  lingering: Lingering,
): Promise<void> {
  const { parts, caseFile, begin, amend, open, named } = evaluation;
  const owners = open().filter((incident) => !isResidual(incident) && belongs(incident, services, caseFile));
  const known = [lingering.coveredSince(services, caseFile) ?? [], owners.map(knownSince)].flat();
  const since = Math.max(...known);
  const newer = known.length === 0 ? [] : newcomers(since, services, caseFile, named);
  if (known.length > 0 && newer.length === 0) return;
  const assessment = parts.assess(caseFile, services);
  const newcomer = likeliestNewcomer(assessment, newer, since);
  const blamed = newcomer?.isBlamed === true ? newcomer : undefined;
  if (known.length > 0 && blamed === undefined)
    return newcomer === undefined ? undefined : tellSuspect(newcomer, services, evaluation);
  const same = open().find((one) => hasSameCause(one, assessment.decision));
  if (same !== undefined) return amend(same.id, (one) => joinedBy(one, services, caseFile.at));
  const elsewhere = new Set(parts.episodes(caseFile).flat());
  for (const name of services) elsewhere.delete(name);
  const incident = openIncident(parts.incidentId(caseFile.at, services), assessment, elsewhere);
  if (blamed !== undefined) {
    const { service, startedAt } = blamed.change;
    for (const owner of owners) {
      // A plan that waits stays a question to people, where nobody has touched what it would undo since.
      const isAsked = owner.gate?.executedAt == null && startedAt <= knownSince(owner);
      if (isAsked && owner.plan?.targets.some((target) => target.service === service)) continue;
      const moved = movedBy(blamed, knownSince(owner), incident.id, owner.gate?.executedAt == null);
      await amend(owner.id, (one) => withSuperseded(one, [moved], caseFile.at));
    }
  }
  const text = noticed(assessment);
  await begin({ ...incident, timeline: [{ at: caseFile.at, event: "detected", detail: text }] });
  parts.emit({ at: caseFile.at, event: "incident.detected", text, incident });
}

/** People hear of a suspect that nobody judged, where the act that hides it is verified and the trouble is there to stay. */
async function tellSuspect(newcomer: Newcomer, services: readonly string[], evaluation: Evaluation): Promise<void> {
  const { parts, caseFile, open, step } = evaluation;
  const lastedMs = caseFile.at - (newcomer.onset?.latest ?? caseFile.at);
  if (lastedMs < QUIET_STEPS * parts.config.watch.stepMs) return;
  const hides = open().find((one) => isResidual(one) && servicesOf(one).some((name) => services.includes(name)));
  if (hides === undefined) return;
  await step(hides.id, async (incident, pursuit) => {
    const text = suspectText(newcomer);
    if (incident.timeline.some(({ detail }) => detail.includes(text))) return;
    await pursuit.save(await escalate(incident, pursuit, text));
  });
}

/** Until when what was changed is part of what an incident speaks of: its act, or else its plan. */
const knownSince = ({ gate, plan, detectedAt }: Incident): number => gate?.executedAt ?? plan?.createdAt ?? detectedAt;

/** Groups that matter now: a finding or condition says of one of their services that it is degraded. */
export function groupsOf(
  episodes: readonly (readonly string[])[],
  { services }: { readonly services: ReadonlySet<string> },
): readonly (readonly string[])[] {
  return episodes.filter((group) => group.some((one) => services.has(one)));
}
