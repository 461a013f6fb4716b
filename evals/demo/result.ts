import { z } from "zod";
import { cameToNothing, type Incident } from "../../core/model/incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { FLAG, NAMESPACE } from "../sandbox/shop.ts";
import type { TrafficReport } from "../sandbox/traffic/main.ts";
import type { SandboxWrite } from "../sandbox/writes.ts";
import type { CulpritState } from "./culprit-record.ts";
import { failsMore, failsSome, type Harm, isSlower, serviceIn, serviceText } from "./harm.ts";

/** What the demo's last line says, and the moments it is made of (Unix ms). */
export interface DemoResult {
  readonly scenario: string;
  readonly onset: number;
  readonly incident: Incident | null;
  readonly postmortem: { readonly at: number; readonly path: string } | null;
}

export interface DemoMoments {
  readonly detectedAt: number | null;
  readonly decidedAt: number | null;
  readonly executedAt: number | null;
  readonly recoveredAt: number | null;
  readonly postmortemAt: number | null;
}

export function momentsOf({ incident, postmortem }: DemoResult): DemoMoments {
  const recovered = incident?.outcome === "recovered";
  return {
    detectedAt: incident?.detectedAt ?? null,
    decidedAt:
      incident?.timeline.find(({ event }) => event.startsWith(`decided: ${incident.decision?.action}`))?.at ?? null,
    executedAt: incident?.gate?.executedAt ?? null,
    recoveredAt: recovered ? (incident.recovery?.at ?? incident.closedAt) : null,
    postmortemAt: postmortem?.at ?? null,
  };
}

/** The demo's result for machines: absent fields are null. */
export function jsonResult(result: DemoResult) {
  const { incident, scenario, onset, postmortem } = result;
  const moments = momentsOf(result);
  const withdrawn = cameToNothing(incident?.outcome ?? null);
  const culprit = withdrawn ? null : (incident?.decision?.culprit ?? null);
  return {
    scenario,
    onset: rfc3339(onset),
    detected_at: rfc3339(moments.detectedAt),
    decided_at: rfc3339(moments.decidedAt),
    executed_at: rfc3339(moments.executedAt),
    recovered_at: rfc3339(moments.recoveredAt),
    culprit: culprit === null ? null : { change_id: culprit.changeId, probability: culprit.probability },
    action: incident === null || withdrawn || incident.decision === null ? "no_action" : incident.decision.action,
    guardrail: incident?.gate?.review.verdict ?? null,
    postmortem: postmortem?.path ?? null,
  };
}

/** Of several troubles: the first one's result, with the others' under `also`. */
export function jsonResults([first, ...others]: readonly DemoResult[]) {
  if (first === undefined) throw new RangeError("there is no result");
  return { ...jsonResult(first), ...(others.length === 0 ? {} : { also: others.map(jsonResult) }) };
}

export interface Judged {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  /** What this record cannot prove, though nothing speaks against it. */
  readonly unproven: readonly string[];
}

/** What was really done to the sandbox, and what its visitors really saw: the other side of the story. */
export interface Witness {
  readonly writes: readonly SandboxWrite[];
  readonly traffic: readonly TrafficReport[];
  /** The object that the scenario made bad: a Deployment's or a flag's name; null: none. */
  readonly culprit: string | null;
  readonly action: "rollback" | "feature_flag_disable" | "no_action";
  readonly harm: Harm;
  /** The culprit by the sandbox's own API, from before the break to the end; empty where there is no culprit. */
  readonly states: readonly CulpritState[];
  /** Why the watch may not have looked on. */
  readonly blind: readonly string[];
  /** An incident must have been noticed that is about what began at onset. */
  readonly mustNotice: boolean;
  /** Whether one was. */
  readonly noticed: boolean;
  /** What the watch waits for a person for; null: nothing. */
  readonly held: string | null;
}

/**
 * Whether the service recovered because of this act and nothing else, by the sandbox's own record rather than by what
 * unship says: it was sound, was hurt, one foreign write gave the guilty object back what it held before, in time, and
 * visitors are served as before. For "no action": the watch could see, and there was no write at all.
 */
export function judge(result: DemoResult, witness: Witness): Judged {
  const { action, held, blind } = witness;
  const said = jsonResult(result).action;
  const reasons = [
    ...(said === action ? [] : [`the decision was ${said}; right was ${action}`]),
    ...(held === null ? [] : [`the plan is held for a person, and nobody is here to approve it: ${held}`]),
    ...blind,
    ...(action === "no_action" ? quietReasons(result, witness) : actReasons(result, witness)),
  ];
  const unproven =
    action !== "no_action" && witness.harm === "memory"
      ? ["That its memory grew is the watch's own measurement: no visitor was affected before it was rolled back."]
      : [];
  return { ok: reasons.length === 0, reasons, unproven };
}

/** Seconds of visitors that stand for "before" and "after": some hundreds of visits on each side. */
const SPAN_MS = 10_000;

function quietReasons({ onset }: DemoResult, witness: Witness): readonly string[] {
  const foreign = witness.writes.filter(({ own }) => !own);
  const before = serviceIn(witness.traffic, onset - SPAN_MS, onset);
  const since = serviceIn(witness.traffic, onset, Number.POSITIVE_INFINITY);
  return [
    ...(foreign.length === 0 ? [] : [`the sandbox recorded ${foreign.length} writes; right was none`]),
    ...(witness.mustNotice && !witness.noticed ? ["the watch noticed nothing of the degradation after onset"] : []),
    ...(before === null || since === null ? ["visitors' own record is too short to tell"] : []),
    ...(witness.harm === "failures" && before !== null && since !== null && !failsMore(since, before)
      ? ["visitors were not affected after onset: there was nothing to notice"]
      : []),
  ];
}

function actReasons(result: DemoResult, witness: Witness): readonly string[] {
  const { onset } = result;
  const { detectedAt, recoveredAt } = momentsOf(result);
  const executedAt = executedAtOf(result, witness);
  const foreign = witness.writes.filter(({ own }) => !own);
  const reasons = foreign.length === 1 ? [] : [`the sandbox recorded ${foreign.length} writes; right was exactly one`];
  if (detectedAt !== null && detectedAt < onset) reasons.push("detection is before onset");
  for (const write of foreign) reasons.push(...writeReasons(write, witness));
  if (detectedAt === null || executedAt === null || recoveredAt === null)
    return [...reasons, "there was no executed action that was followed by recovery"];
  if (recoveredAt < executedAt) reasons.push("recovery is before the action");
  for (const { at } of foreign) {
    if (at < executedAt - WRITE_LEAD_MS || at > recoveredAt)
      reasons.push("the write was not made between execution and recovery");
  }
  const acted = foreign[0]?.at ?? executedAt;
  return [
    ...reasons,
    ...visitorReasons(witness, { onset, acted, recoveredAt }),
    ...stateReasons(witness, { onset, acted, recoveredAt }),
  ];
}

/** Of a plan with several targets, which are executed one after the other, when this one was; else of the plan. */
function executedAtOf(result: DemoResult, { culprit }: Witness): number | null {
  const own = result.incident?.gate?.results.find(({ target }) => target.object.name === culprit);
  return own === undefined ? momentsOf(result).executedAt : own.at;
}

/** The executor's answer, whose time is the execution's, comes after its request. */
const WRITE_LEAD_MS = 5000;

function writeReasons(
  { api, method, path, body }: SandboxWrite,
  { culprit, action, states }: Witness,
): readonly string[] {
  const pathname = path.split("?")[0] ?? "";
  const object =
    action === "rollback"
      ? `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${culprit}`
      : `/api/admin/projects/${FLAG.project}/features/${culprit}/environments/${FLAG.environment}/off`;
  const verb = action === "rollback" ? "PATCH" : "POST";
  const side = action === "rollback" ? "kubernetes" : "flags";
  if (api !== side || method !== verb || pathname !== object) return [`${method} ${path} is not ${verb} of ${object}`];
  const before = states[0]?.runs;
  return action === "rollback" && (before === undefined || imageSet(body) !== before)
    ? [`the write does not set the template back to ${before ?? "what ran before"}`]
    : [];
}

const Template = z.object({ spec: z.object({ containers: z.tuple([z.object({ image: z.string() })]) }) });
/** A JSON patch of the template, or a merge patch that holds one. */
const TemplatePatch = z.union([
  z
    .array(z.looseObject({ op: z.string(), path: z.string(), value: z.unknown() }))
    .transform((operations) => operations.find(({ op, path }) => op === "replace" && path === "/spec/template")?.value),
  z.object({ spec: z.object({ template: z.unknown() }) }).transform(({ spec }) => spec.template),
]);

/** The one image that a write to a workload sets; null where it sets none. */
export function imageSet(body: unknown): string | null {
  const patch = TemplatePatch.safeParse(typeof body === "string" ? JSON.parse(body) : body);
  const template = Template.safeParse(patch.data);
  return template.data?.spec.containers[0].image ?? null;
}

interface Acted {
  readonly onset: number;
  readonly acted: number;
  readonly recoveredAt: number;
}

/** Visitors were hurt between onset and the act in the scenario's way, and are served after recovery as before onset. */
function visitorReasons({ traffic, harm }: Witness, { onset, acted, recoveredAt }: Acted): readonly string[] {
  const before = serviceIn(traffic, onset - SPAN_MS, onset);
  const hurt = serviceIn(traffic, onset, acted);
  const after = serviceIn(traffic, recoveredAt, recoveredAt + SPAN_MS);
  if (before === null || hurt === null || after === null) return ["visitors' own record is too short to tell"];
  return [
    ...(harm === "failures" && !failsMore(hurt, before)
      ? [`visitors did not fail between onset and the act (${serviceText(hurt)})`]
      : []),
    ...(harm === "few-failures" && !failsSome(hurt, before)
      ? [`hardly a visitor failed between onset and the act (${serviceText(hurt)})`]
      : []),
    ...(harm === "latency" && !isSlower(hurt, before)
      ? [`visitors did not wait between onset and the act (${serviceText(hurt)})`]
      : []),
    ...(failsMore(after, before) || isSlower(after, before)
      ? [`visitors are not served as before: ${serviceText(after)} after recovery, ${serviceText(before)} before onset`]
      : []),
  ];
}

/** The culprit held something else between onset and the act, and at the end holds in full what it held before. */
function stateReasons({ states, harm, culprit }: Witness, { onset, acted, recoveredAt }: Acted): readonly string[] {
  const before = states.find(({ at }) => at < onset);
  const last = states.at(-1);
  if (before === undefined || last === undefined || last.at < recoveredAt)
    return [`${culprit} was not checked before the break and after recovery`];
  const bad = states.filter(({ at, runs }) => at >= onset && at <= acted && runs !== before.runs);
  return [
    ...(bad.length === 0 ? [`${culprit} was not seen bad between onset and the act`] : []),
    ...(harm === "unready" &&
    bad.length > 0 &&
    !(bad.some(({ pods }) => pods > 0) && bad.every(({ ready }) => ready === 0))
      ? [`the bad version of ${culprit} was not seen unready between onset and the act`]
      : []),
    ...(last.runs === before.runs && last.complete
      ? []
      : [
          `at the end ${culprit} is ${last.runs}${last.complete ? "" : ", not complete"}; before the break it was ${before.runs}`,
        ]),
  ];
}
