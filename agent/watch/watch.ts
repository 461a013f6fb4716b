import { createCallGraph } from "../../core/correlation/call-graph.ts";
import { worstFirst } from "../../core/impact/worst-first.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { type Incident, isResidual } from "../../core/model/incident.ts";
import { escapeControls } from "../../core/model/untrusted-text.ts";
import type { DamagedIncident } from "../../core/ports.ts";
import { adoptAnswers, awaitsResult, isUnderWay, isUnsettled } from "./adopting.ts";
import { finishLeftOver, OVER, RESIDUAL, recentlyClosed } from "./aftermath.ts";
import { type Apart, allot, apartOf } from "./allotting.ts";
import { createApprovedDesk } from "./approved.ts";
import { createArguing } from "./arguing.ts";
import { createBook } from "./book.ts";
import { createCanaryDesk } from "./canaries.ts";
import { areJoined, degradedOf } from "./degraded.ts";
import { noticeDrift } from "./drift.ts";
import { type Claims, createEarlier, REMEMBERED_MS } from "./earlier.ts";
import { QUIET_STEPS } from "./ending.ts";
import { createFlights, GIVEN_UP_MS } from "./flights.ts";
import { HEALTH_LOOK_MS, noteHealthyChanges } from "./healthy.ts";
import { servicesOf, takenUp, troubled } from "./incident-state.ts";
import { createLingering } from "./lingering.ts";
import { groupsOf, openFor, settleServices } from "./opening.ts";
import type { WatchParts } from "./ports.ts";
import { withFreshPresent } from "./present.ts";
import { createPromotionDesk } from "./promotions.ts";
import { pursue } from "./pursue.ts";
import type { Evaluation, Pursuit } from "./pursuit.ts";
import { createReporting } from "./reporting.ts";
import { results, verdictText } from "./wording.ts";

export interface Watch {
  /** Takes up what a previous process left: intents are reconciled first, then open incidents go on (S5). */
  resume(abort: AbortSignal): Promise<void>;
  /** One look at the system: reads what is new, pursues what is open, opens what is new. Never throws for a source. */
  tick(abort: AbortSignal): Promise<void>;
  /** Incidents that are not closed, oldest first. */
  open(): readonly Incident[];
}

/**
 * The watch: an incident state machine over the deterministic core, for each incident by itself (S16). It holds no clock
 * of its own and no loop, so that a replay drives it as the daemon does.
 */
export function createWatch(parts: WatchParts): Watch {
  const tailMs = parts.config.feedback.timeoutMs;
  const lingering = createLingering(tailMs, QUIET_STEPS * parts.config.watch.stepMs);
  const arguing = createArguing(parts);
  const canaries = createCanaryDesk(parts);
  const earlier = createEarlier(parts.ledger);
  /** Changes that an incident has blamed. */
  const named = new Set<string>();
  let apart: Apart = apartOf([]);
  const claims: Claims = new Map();
  let ended: Incident[] = [];
  const report = createReporting(parts.emit);
  let healthLookedAt = parts.clock.now();

  const name = ({ decision }: Incident) => {
    if (decision === null || decision.action === "no_action") return;
    for (const id of [...decision.changeIds, decision.culprit?.changeId ?? []].flat()) named.add(id);
  };

  const book = createBook({
    save: (incident) => parts.ledger.saveIncident(incident),
    noted(incident) {
      name(incident);
      if (isResidual(incident) && incidents.get(incident.id)?.outcome === null) judged(incident);
    },
    closed: judged,
  });
  const { incidents } = book;
  /** Nothing more is done for it: what it leaves behind is no news. */
  function judged(incident: Incident): void {
    ended.push(incident);
    earlier.judged(incident, parts.clock.now());
  }

  const say = (text: string, incident: Incident | null = null) =>
    parts.emit({ at: parts.clock.now(), event: "tick.failed", text, incident });
  const flights = createFlights({
    patienceMs: parts.workPatienceMs,
    now: () => parts.clock.now(),
    failed: (key, error) => say(`${key}: ${textOf(error)}`, incidents.get(idIn(key)) ?? null),
    late: (key) => say(`${key}: no answer yet; everything else goes on`, incidents.get(idIn(key)) ?? null),
    landed: (key) => {
      for (const [object, id] of claims) if (id === idIn(key)) claims.delete(object);
    },
  });
  const promotions = createPromotionDesk(parts, flights);
  const approved = createApprovedDesk({
    ...parts,
    stepMs: parts.config.watch.stepMs,
    told: (plan, answer) => {
      const event = answer.outcome === "executed" ? "plan.executed" : "plan.not-executed";
      const said = answer.results.length > 0 ? results(answer) : verdictText(answer.review);
      const text = `${plan.id}, proposed by ${plan.proposedBy} and approved: ${answer.outcome}; ${said}`;
      parts.emit({ at: parts.clock.now(), event, text: escapeControls(text), incident: null });
    },
  });
  /** Where the gate is a process of its own, it does this itself. */
  const carryOutApproved = async () => {
    if (parts.gateSeesHealth !== true) await flights.run("approved plans", () => approved.look());
  };

  /** What fails for one of them is said, and keeps no other from its turn. */
  const attempt = async (what: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      say(`${what}: ${textOf(error)}`);
    }
  };

  /** An incident that is open for its symptoms covers each service until that was measured back for long enough. */
  const isHeld = (id: string, service: string): boolean => {
    const incident = incidents.get(id);
    if (incident === undefined || !isResidual(incident)) return false;
    return waitsFor(incident).includes(service);
  };
  const closeSymptoms = async (incident: Incident) => {
    if (incident.stage !== "closed" || waitsFor(incident).length > 0) return;
    lingering.forget(incident.id);
    residual.delete(incident.id);
    await parts.ledger.append(entryOf(OVER, incident.id));
  };
  const forgetOver = async (degraded: ReadonlySet<string>, at: number) => {
    for (const id of lingering.update(degraded, at, isHeld)) {
      if (residual.delete(id)) await parts.ledger.append(entryOf(OVER, id));
    }
  };
  /** Incidents that did not recover and whose symptoms people know of, as the ledger has them. */
  const residual = new Set<string>();

  /** Nothing of a service that is degraded, or joined to what is, or that an incident speaks of, is promoted. */
  const mayPromote = (caseFile: CaseFile | null) => {
    const degraded = [...(caseFile === null ? [] : degradedOf(caseFile).services)];
    const graph = createCallGraph(caseFile?.topology ?? null);
    const held = new Set([...incidents.values()].flatMap((one) => [...servicesOf(one), ...targetsOf(one)]));
    return (service: string) => !held.has(service) && !degraded.some((other) => areJoined(graph, service, other));
  };

  /** Gives each group of degraded services to an incident: one that stands, or a new one. */
  const open = async (evaluation: Evaluation) => {
    const { caseFile } = evaluation;
    const groups = groupsOf(parts.episodes(caseFile), { services: troubled(caseFile.findings, caseFile.conditions) });
    const standing = [...incidents.values()].filter((one) => !isResidual(one));
    const isBusy = (id: string) => flights.has(keyOf(id));
    const allotment = allot(standing.sort(byAge), groups, apart, caseFile, isBusy);
    ({ homes, parting } = allotment);
    await attempt("services of the open incidents", () => settleServices(allotment, evaluation));
    for (const group of allotment.rest) {
      await attempt(`opening an incident for ${group.join(", ")}`, () => openFor(group, evaluation, lingering));
    }
  };
  let homes: ReadonlyMap<string, readonly string[]> = new Map();
  let parting: ReadonlySet<string> = new Set();

  const step = async (evaluation: Evaluation, id: string, work: (one: Incident, pursuit: Pursuit) => Promise<void>) => {
    await flights.run(keyOf(id), async () => {
      // As it stands now: one that was pursued before it may have joined it.
      const lease = await book.take(id);
      if (lease === undefined) return;
      try {
        await work(lease.incident, {
          ...evaluation,
          save: (next) => lease.save(withFreshPresent(next, evaluation)),
        });
      } finally {
        lease.release();
      }
    });
  };

  const pursueOne = (id: string, { step }: Evaluation) =>
    step(id, async (before, pursuit) => {
      const incident = await adoptAnswers(before, parts);
      const patienceMs = Math.min(GIVEN_UP_MS, tailMs);
      const { at } = pursuit.caseFile;
      if (awaitsResult(incident, at, patienceMs) || (await isUnderWay(incident, { at, patienceMs }, parts)))
        return pursuit.save(incident);
      await pursue(incident, pursuit);
    });

  /** Incidents whose act is not settled come after intents were reconciled; nobody else waits for that (S5). */
  const pursueAll = async (evaluation: Evaluation) => {
    const waiting = [...incidents.values()].filter(isUnsettled).map(({ id }) => id);
    // What many share (budgets, a cooldown for all) goes to the worse incident first.
    for (const { id } of worstFirst([...incidents.values()], parts.config.services))
      if (!waiting.includes(id)) await pursueOne(id, evaluation);
    await recover();
    for (const id of waiting) await pursueOne(id, evaluation);
  };
  /** While one call waits for a target that hangs, the next ones take up what others left open. */
  const recover = () => {
    let key = RECONCILING;
    for (let index = 2; flights.has(key); index += 1) key = `${RECONCILING} (${index})`;
    return flights.run(key, async () => void (await parts.gate.recover()));
  };

  return {
    open: () => [...incidents.values()],

    async resume(abort) {
      flights.begin();
      await recover();
      const said = new Set<string>();
      const onDamaged = ({ id, reason }: DamagedIncident) => {
        if (said.has(id)) return;
        said.add(id);
        const text = `incident ${id}: ${reason}; the others go on. Run: unship audit verify`;
        parts.emit({ at: parts.clock.now(), event: "incident.damaged", text: escapeControls(text), incident: null });
      };
      const left = await parts.ledger.incidents({ open: true }, onDamaged);
      const recent = await recentlyClosed(parts, Math.max(tailMs, REMEMBERED_MS), onDamaged);
      const now = parts.clock.now();
      for (const incident of left.toReversed()) {
        book.restore(incident);
        await book.amend(incident.id, (one) => takenUp(one, now));
      }
      apart = apartOf(left);
      for (const incident of [...left.filter(isResidual), ...recent.incidents]) {
        if (!recent.over.has(incident.id) && lingering.add(incident, null, [])) residual.add(incident.id);
        earlier.judged(incident, now);
      }
      for (const incident of [...left, ...recent.incidents]) name(incident);
      await flights.run("what judged incidents still lack", () => finishLeftOver(parts, onDamaged));
      flights.end();
      abort.throwIfAborted();
      parts.emit({
        at: now,
        event: "watch.started",
        text: `mode ${parts.config.mode}; ${incidents.size === 0 ? "no incident is open" : `open incidents taken up again: ${[...incidents.keys()].join(", ")}`}${said.size === 0 ? "" : `; damaged: ${[...said].map(escapeControls).join(", ")}`}`,
        incident: null,
      });
    },

    async tick(abort) {
      const now = parts.clock.now();
      const seen = await parts.look(now, abort);
      if (abort.aborted) return;
      report(seen.gaps, now);
      await canaries.look(seen.canaries ?? [], now);
      const isCalm = incidents.size === 0 && troubled(seen.findings, seen.conditions).size === 0;
      const due = now - healthLookedAt >= HEALTH_LOOK_MS;
      flights.begin();
      try {
        await carryOutApproved();
        if (isCalm && !due) {
          await forgetOver(new Set(), now);
          return await promotions.look(seen.canaries ?? [], now, mayPromote(null));
        }
        const caseFile = await parts.gather(now, abort);
        if (abort.aborted) return;
        await forgetOver(degradedOf(caseFile).services, now);
        if (due) {
          healthLookedAt = now;
          if (parts.gateSeesHealth !== true)
            await attempt("changes that proved healthy", () => noteHealthyChanges(parts, caseFile));
          await attempt("versions that are deployed again", () => noticeDrift(parts, caseFile));
        }
        const evaluation: Evaluation = {
          parts,
          caseFile,
          begin: book.begin,
          amend: book.amend,
          step: (id, work) => step(evaluation, id, work),
          abort,
          earlier,
          claims,
          named,
          open: () => [...incidents.values()],
          home: (id) => homes.get(id),
          isParting: (id) => parting.has(id),
        };
        await open(evaluation);
        if (incidents.size > 0 || due) await pursueAll(evaluation);
        await promotions.look(seen.canaries ?? [], now, mayPromote(caseFile));
        const groups = ended.length === 0 ? [] : parts.episodes(caseFile);
        for (const incident of ended) {
          // Its symptoms may be known since its act was verified.
          if (residual.has(incident.id)) await closeSymptoms(incident);
          else if (lingering.add(incident, caseFile, groups)) {
            residual.add(incident.id);
            await parts.ledger.append(entryOf(RESIDUAL, incident.id));
          }
        }
        // Trouble that an incident no longer speaks of has none: whatever is wrong now is looked at without delay.
        const freed = ended.some(({ outcome, superseded }) => outcome === "superseded" || superseded !== undefined);
        ended = [];
        if (freed) await open(evaluation);
        await arguing.look(incidents, evaluation);
      } finally {
        flights.end();
      }
    },
  };
}

const RECONCILING = "reconciling intents";
const PURSUED = "incident ";
const keyOf = (id: string): string => `${PURSUED}${id}`;
const idIn = (key: string): string => (key.startsWith(PURSUED) ? key.slice(PURSUED.length) : "");
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const targetsOf = ({ plan }: Incident): readonly string[] => plan?.targets.map(({ service }) => service) ?? [];
const entryOf = (kind: string, incidentId: string) => ({ kind, incidentId, planId: null, actor: "watch", body: {} });
/** Services of which a signal was not measured back for long enough yet. */
const waitsFor = ({ signals = [] }: Incident): readonly string[] =>
  signals.flatMap(({ service, well }) => (well <= QUIET_STEPS ? [service] : []));
const byAge = (a: Incident, b: Incident): number => a.detectedAt - b.detectedAt || (a.id < b.id ? -1 : 1);
