import { evidenceAbout } from "../../core/assessment/partition.ts";
import { LEAST_GROUPS } from "../../core/correlation/wide-cause.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import type { Allotment } from "./allotting.ts";
import { finish } from "./ending.ts";
import { hasSameCause, joinedBy, openIncident, servicesOf, withServices, withSuperseded } from "./incident-state.ts";
import { belongs, type Lingering } from "./lingering.ts";
import { blamedNewcomer, movedBy, newcomers } from "./newcomers.ts";
import type { Evaluation } from "./pursuit.ts";
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
 * anew where somebody changed something since it was planned or dealt with: it opens an incident of its own where the
 * evidence blames just that, and only then. Else it would open anew at every evaluation. `named`: ids of changes that an
 * incident has blamed.
 */
export async function openFor(
  services: readonly string[],
  evaluation: Evaluation,
  { lingering, named }: { readonly lingering: Lingering; readonly named: ReadonlySet<string> },
): Promise<void> {
  const { parts, caseFile, begin, amend, open } = evaluation;
  const owners = open().filter((incident) => !isResidual(incident) && belongs(incident, services, caseFile));
  const known = [lingering.coveredSince(services, caseFile) ?? [], owners.map(knownSince)].flat();
  const newer = known.length === 0 ? [] : newcomers(Math.max(...known), caseFile, named);
  if (known.length > 0 && newer.length === 0) return;
  const assessment = parts.assess(caseFile, services);
  const blamed = blamedNewcomer(assessment.decision, newer);
  if (known.length > 0 && blamed === undefined) return;
  const same = open().find((one) => hasSameCause(one, assessment.decision));
  if (same !== undefined) return amend(same.id, (one) => joinedBy(one, services, caseFile.at));
  const elsewhere = new Set(parts.episodes(caseFile).flat());
  for (const name of services) elsewhere.delete(name);
  const incident = openIncident(parts.incidentId(caseFile.at, services), assessment, elsewhere);
  if (blamed !== undefined) {
    for (const owner of owners) {
      const moved = movedBy(blamed, knownSince(owner), incident.id, owner.gate?.executedAt == null);
      await amend(owner.id, (one) => withSuperseded(one, [moved], caseFile.at));
    }
  }
  const text = noticed(assessment);
  await begin({ ...incident, timeline: [{ at: caseFile.at, event: "detected", detail: text }] });
  parts.emit({ at: caseFile.at, event: "incident.detected", text, incident });
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
