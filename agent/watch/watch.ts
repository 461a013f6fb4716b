import type { CaseFile, Gap } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { adoptAnswers } from "./adopting.ts";
import { finishLeftOver, recentlyClosed } from "./aftermath.ts";
import { createArguing } from "./arguing.ts";
import { createCanaryDesk } from "./canaries.ts";
import { QUIET_STEPS } from "./deciding.ts";
import { noticeDrift } from "./drift.ts";
import { HEALTH_LOOK_MS, noteHealthyChanges } from "./healthy.ts";
import {
  hasSameCause,
  joinedBy,
  openIncident,
  servicesOf,
  substance,
  troubled,
  withSuperseded,
} from "./incident-state.ts";
import { belongs, createLingering } from "./lingering.ts";
import { blamedNewcomer, movedBy, newcomers } from "./newcomers.ts";
import type { WatchParts } from "./ports.ts";
import { createPromotionDesk } from "./promotions.ts";
import { pursue } from "./pursue.ts";
import { noticed } from "./wording.ts";

/** How many incidents a watch takes up again after a restart: far more than ever stand open at once. */
const OPEN_LIMIT = 1000;

export interface Watch {
  /** Takes up what a previous process left: intents are reconciled first, then open incidents go on (S5). */
  resume(abort: AbortSignal): Promise<void>;
  /** One look at the system: reads what is new, pursues what is open, opens what is new. Never throws for a source. */
  tick(abort: AbortSignal): Promise<void>;
  /** Incidents that are not closed, oldest first. */
  open(): readonly Incident[];
}

/**
 * The watch: an incident state machine over the deterministic core. It holds no clock of its own and no loop, so that
 * a replay drives it as the daemon does.
 */
export function createWatch(parts: WatchParts): Watch {
  const incidents = new Map<string, Incident>();
  const tailMs = parts.config.feedback.timeoutMs;
  const lingering = createLingering(tailMs, QUIET_STEPS * parts.config.watch.stepMs);
  const arguing = createArguing(parts);
  const canaries = createCanaryDesk(parts);
  const promotions = createPromotionDesk(parts);
  /** Changes that an incident has blamed. */
  const named = new Set<string>();
  let closed: Incident[] = [];
  let down = new Map<string, Gap>();
  let healthLookedAt = parts.clock.now();

  const name = ({ decision }: Incident) => {
    if (decision === null || decision.action === "no_action") return;
    for (const id of [...decision.changeIds, decision.culprit?.changeId ?? []].flat()) named.add(id);
  };

  const save = async (incident: Incident) => {
    name(incident);
    const known = incidents.get(incident.id);
    if (known === undefined || substance(known) !== substance(incident)) await parts.ledger.saveIncident(incident);
    if (incident.stage === "closed") {
      incidents.delete(incident.id);
      closed.push(incident);
    } else {
      incidents.set(incident.id, incident);
    }
  };

  const report = (gaps: readonly Gap[], at: number) => {
    const now = new Map(gaps.map((gap) => [`${gap.source} ${gap.what}`, gap]));
    for (const [key, gap] of now) {
      if (down.has(key)) continue;
      const since = gap.since === undefined || gap.since >= at ? "" : `; silent since ${rfc3339(gap.since)}`;
      const text = `${gap.source} is down (${gap.what}): ${gap.because}${since}`;
      parts.emit({ at, event: "source.down", text, incident: null });
    }
    for (const [key, gap] of down) {
      if (!now.has(key))
        parts.emit({ at, event: "source.up", text: `${gap.source} answers again (${gap.what})`, incident: null });
    }
    down = now;
  };

  /**
   * Trouble that is known already is asked about anew where somebody changed something since it was dealt with: it opens
   * an incident of its own where the evidence blames just that, and only then. Else it would open anew at every look.
   */
  const openNew = async (caseFile: CaseFile) => {
    const inTrouble = troubled(caseFile.findings, caseFile.conditions);
    for (const services of parts.episodes(caseFile)) {
      if (!services.some((one) => inTrouble.has(one))) continue;
      const owners = [...incidents.values()].filter((incident) => belongs(incident, services, caseFile));
      const known = [
        lingering.coveredSince(services, caseFile) ?? [],
        // One that nothing was done for is judged anew at each look by itself.
        owners.map(({ gate }) => gate?.executedAt ?? Number.POSITIVE_INFINITY),
      ].flat();
      const newer = known.length === 0 ? [] : newcomers(Math.max(...known), caseFile, named);
      if (known.length > 0 && newer.length === 0) continue;
      const assessment = parts.assess(caseFile, services);
      const blamed = blamedNewcomer(assessment.decision, newer);
      if (known.length > 0 && blamed === undefined) continue;
      const same = [...incidents.values()].find((one) => hasSameCause(one, assessment.decision));
      if (same !== undefined) {
        await save(joinedBy(same, services, caseFile.at));
        continue;
      }
      const incident = openIncident(parts.incidentId(caseFile.at, services), assessment);
      if (blamed !== undefined) {
        for (const owner of owners) {
          const moved = movedBy(blamed, owner.gate?.executedAt ?? caseFile.at, incident.id);
          await save(withSuperseded(owner, [moved], caseFile.at));
        }
      }
      const text = noticed(assessment);
      await save({ ...incident, timeline: [{ at: caseFile.at, event: "detected", detail: text }] });
      parts.emit({ at: caseFile.at, event: "incident.detected", text, incident });
    }
  };

  return {
    open: () => [...incidents.values()],

    async resume(abort) {
      await parts.gate.recover();
      const left = await parts.ledger.incidents({ open: true, limit: OPEN_LIMIT });
      const recent = await recentlyClosed(parts, tailMs);
      for (const incident of left.toReversed()) incidents.set(incident.id, incident);
      for (const incident of recent) lingering.add(incident, null, []);
      for (const incident of [...left, ...recent]) name(incident);
      await finishLeftOver(parts);
      abort.throwIfAborted();
      parts.emit({
        at: parts.clock.now(),
        event: "watch.started",
        text: `mode ${parts.config.mode}; ${incidents.size === 0 ? "no incident is open" : `open incidents taken up again: ${[...incidents.keys()].join(", ")}`}`,
        incident: null,
      });
    },

    async tick(abort) {
      const now = parts.clock.now();
      const seen = await parts.look(now, abort);
      if (abort.aborted) return;
      report(seen.gaps, now);
      await canaries.look(seen.canaries ?? [], now);
      const inTrouble = troubled(seen.findings, seen.conditions);
      lingering.update(inTrouble, now);
      const news = [...inTrouble].some(
        (name) => ![...incidents.values()].some((one) => servicesOf(one).includes(name)),
      );
      // While anything is wrong nothing is promoted.
      if (incidents.size === 0 && !news) await promotions.look(seen.canaries ?? [], now);
      const due = now - healthLookedAt >= HEALTH_LOOK_MS;
      if (incidents.size === 0 && !news && !due) return;
      const caseFile = await parts.gather(now, abort);
      if (abort.aborted) return;
      if (due) {
        healthLookedAt = now;
        if (parts.gateSeesHealth !== true) await noteHealthyChanges(parts, caseFile, inTrouble);
        await noticeDrift(parts, caseFile);
      }
      if (incidents.size > 0) await parts.gate.recover();
      await openNew(caseFile);
      const pursuit = { parts, caseFile, save, abort, open: () => [...incidents.values()] };
      for (const id of [...incidents.keys()]) {
        // As it stands now: one that was pursued before it may have joined it.
        const incident = incidents.get(id);
        if (incident === undefined) continue;
        try {
          await pursue(await adoptAnswers(incident, parts), pursuit);
        } catch (error) {
          const text = error instanceof Error ? error.message : String(error);
          parts.emit({ at: now, event: "tick.failed", text: `incident ${id}: ${text}`, incident });
        }
      }
      for (const incident of closed) lingering.add(incident, caseFile, parts.episodes(caseFile));
      // Trouble that an incident no longer speaks of has none: whatever is wrong now is looked at without delay.
      const freed = closed.some(({ outcome }) => outcome === "superseded");
      closed = [];
      if (freed) await openNew(caseFile);
      await arguing.look(incidents, pursuit);
    },
  };
}
