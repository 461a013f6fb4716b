import { inEffectAt } from "../../core/assessment/own-acts.ts";
import { createCallGraph } from "../../core/correlation/call-graph.ts";
import { touches } from "../../core/guardrails/rules/stale.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { isChangedSince } from "./changed-since.ts";
import { degradedOf } from "./degraded.ts";
import { servicesOf, worse } from "./incident-state.ts";

/**
 * Trouble that outlives its incident: smoothed signals that fall slowly, or an action that did not help. It is not
 * news, and must not hide any.
 */
export interface Lingering {
  /**
   * Remembers an incident that was judged, with what its trouble hurts besides. True: for as long as its symptoms last, since
   * people were told that it did not recover.
   */
  add(incident: Incident, caseFile: CaseFile | null, episodes: readonly (readonly string[])[]): boolean;
  /** Forgets an incident all of whose signals were measured back. */
  forget(id: string): void;
  /** Forgets what is over, and names the incidents. `isHeld`: whether an incident waits for a service's signals still. */
  update(
    inTrouble: ReadonlySet<string>,
    now: number,
    isHeld: (id: string, service: string) => boolean,
  ): readonly string[];
  /**
   * Since when (Unix ms) all of these services are known to be hurt by what has been dealt with, while nothing new was
   * done to them: when the last of it was acted on, or closed. null: not all of them are.
   */
  coveredSince(services: readonly string[], caseFile: CaseFile): number | null;
}

/**
 * `tailMs`: how long after a recovery its signals may still be on their way back; later it is new trouble. `calmMs`:
 * a service that has been well for so long is over it; whatever hurts it then is new.
 */
export function createLingering(tailMs: number, calmMs: number): Lingering {
  const known = new Map<
    string,
    { readonly since: number; readonly until: number; readonly lastBad: Map<string, number> }
  >();
  return {
    add(incident, caseFile, episodes) {
      // Nothing that stands now is known to be of what it dealt with: somebody has changed the same thing since.
      if (incident.outcome === "superseded" || incident.joined !== undefined) return false;
      const joined = caseFile === null ? [] : episodes.filter((services) => belongs(incident, services, caseFile));
      const all = [...new Set([...servicesOf(incident), ...joined.flat()])];
      // What is well when the incident is judged does not linger.
      const still = caseFile === null ? null : degradedOf(caseFile).services;
      const services = all.filter((name) => still?.has(name) ?? true);
      // People were told of what did not recover: as long as it lasts, it is theirs.
      const theirs = incident.outcome === "not-recovered" || incident.outcome === "unknown";
      const judgedAt = incident.closedAt ?? incident.recovery?.at ?? 0;
      const seenAt = caseFile?.at ?? judgedAt;
      known.set(incident.id, {
        since: incident.gate?.executedAt ?? judgedAt,
        until: theirs ? Infinity : judgedAt + tailMs,
        lastBad: new Map(services.map((name) => [name, seenAt])),
      });
      return theirs;
    },
    forget: (id) => void known.delete(id),
    update(inTrouble, now, isHeld) {
      const over: string[] = [];
      for (const [id, { lastBad, until }] of known) {
        for (const [name, at] of lastBad) {
          if (inTrouble.has(name) || isHeld(id, name)) lastBad.set(name, now);
          else if (now - at >= calmMs) lastBad.delete(name);
        }
        if (now <= until && lastBad.size > 0) continue;
        known.delete(id);
        over.push(id);
      }
      return over;
    },
    coveredSince(services, { changes }) {
      let last = 0;
      for (const name of services) {
        const covering = [...known.values()].filter(
          ({ lastBad, since }) => lastBad.has(name) && !isChangedSince(name, since, changes),
        );
        if (covering.length === 0) return null;
        last = Math.max(last, ...covering.map(({ since }) => since));
      }
      return last;
    },
  };
}

/**
 * Whether an episode is the incident's: it shares a service with it, and what is hurt besides was so before the
 * incident was planned or acted on. What began after the act, the act did not miss: it is trouble of its own. Callers of what was
 * taken back suffer until the act is in effect, and while its rollout replaces pods: what began for them until then
 * belongs to it as well, shared service or not, unless somebody changed them since. So does what goes on through an act
 * that did not help, which is dated by its end, and what that spreads to while the service itself is still hurt.
 */
export function belongs(incident: Incident, services: readonly string[], caseFile: CaseFile): boolean {
  const own = new Set(servicesOf(incident));
  const shares = services.some((name) => own.has(name));
  const acted = incident.gate?.executedAt ?? null;
  if (acted === null) return shares && isOfPlan(incident, own, services, caseFile);
  const targets = new Set((incident.gate?.results ?? []).map(({ target }) => target.service));
  const suffer = callersOf(targets, caseFile);
  const effect = completeAt(incident, acted, caseFile);
  const isOfAct = (name: string) =>
    suffer.has(name) && beganBefore(name, effect, caseFile) && !isChangedSince(name, acted, caseFile.changes);
  const isStillHurt = services.some((name) => targets.has(name));
  const isSpread = (name: string) => isStillHurt && suffer.has(name) && !isChangedSince(name, acted, caseFile.changes);
  if (shares)
    return services.every(
      (name) => own.has(name) || beganBefore(name, acted, caseFile) || isOfAct(name) || isSpread(name),
    );
  return services.every(isOfAct);
}

/**
 * Whether a group is of the trouble that a plan is for, where one waits: what began after it is its own only where it calls
 * what would be undone, and nobody changed it since. Else a plan that waits for hours would take in whatever breaks beside it.
 */
function isOfPlan(
  { plan }: Incident,
  own: ReadonlySet<string>,
  services: readonly string[],
  caseFile: CaseFile,
): boolean {
  if (plan === null) return true;
  const suffer = callersOf(new Set(plan.targets.map(({ service }) => service)), caseFile);
  const spreads = (name: string) => suffer.has(name) && !isChangedSince(name, plan.createdAt, caseFile.changes);
  return services.every((name) => own.has(name) || beganBefore(name, plan.createdAt, caseFile) || spreads(name));
}

function callersOf(services: ReadonlySet<string>, { topology }: CaseFile): ReadonlySet<string> {
  const graph = createCallGraph(topology);
  return new Set([...services].flatMap((service) => [...graph.ancestors(service)]));
}

/** When what the incident wrote is complete, as the histories of its targets tell; now, where one still rolls out. */
function completeAt({ gate }: Incident, acted: number, { changes, at }: CaseFile): number {
  const own = changes.filter(
    (change) => change.ownRollback === true && (gate?.results ?? []).some(({ target }) => touches(change, target)),
  );
  return Math.max(acted, ...own.map(({ finishedAt }) => (finishedAt === null ? at : inEffectAt(finishedAt))));
}

function beganBefore(service: string, moment: number, { findings }: CaseFile): boolean {
  const onsets = worse(findings).flatMap((one) =>
    one.service === service && one.onset !== null ? [one.onset.earliest] : [],
  );
  return onsets.length === 0 || Math.min(...onsets) <= moment;
}
