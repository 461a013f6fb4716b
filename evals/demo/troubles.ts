import type { Incident } from "../../core/model/incident.ts";
import { SCENARIOS, type Scenario, type ScenarioName, type Truth } from "../sandbox/scenarios.ts";
import { WORLDS, type WorldName } from "../sandbox/worlds.ts";
import type { SandboxWrite } from "../sandbox/writes.ts";
import { HARM, type Harm } from "./harm.ts";
import { type DemoResult, type Judged, judge, type Witness } from "./result.ts";

/** One thing that a scenario breaks, or leaves alone, in one world. */
export interface Trouble extends Truth {
  readonly world: WorldName;
  readonly harm: Harm;
}

/** What a scenario breaks, the first one first. */
export function troublesOf(name: ScenarioName): readonly [Trouble, ...Trouble[]] {
  const { truth, also = [], world = "shop" }: Scenario = SCENARIOS[name];
  const [first, ...others] = HARM[name];
  return [{ ...truth, world, harm: first }, ...also.map((one, index) => ({ ...one, harm: others[index] ?? "none" }))];
}

/**
 * Whether an incident is about a trouble: what it decided to undo is the trouble's object; before it decided anything, where
 * it was noticed first is a service of the trouble's world. An incident that undoes another object is about that one alone,
 * whatever else it lists.
 */
export function isAbout({ decision, service }: Incident, { culprit, world }: Trouble): boolean {
  const undone = decision?.changeIds ?? [];
  if (undone.length === 0) return WORLDS[world].services.some((one) => one === service);
  return culprit !== null && undone.some((id) => id.split(/[/:]/).includes(culprit));
}

/** A trouble, what unship made of it, and what was really done and seen. */
export interface Told {
  readonly trouble: Trouble;
  readonly result: DemoResult;
  /** Its writes are all of the sandbox's. */
  readonly witness: Witness;
}

/**
 * Several troubles at once: each by itself, with the writes on its own object, as if the others were not there; and what only
 * shows in all of them together: a write on nobody's object, one incident for what nothing joins.
 */
export function judgeTogether(told: readonly Told[]): Judged {
  if (told.length === 1 && told[0] !== undefined) return judge(told[0].result, told[0].witness);
  const each = told.map(({ trouble, result, witness }) => ({
    of: trouble.culprit ?? trouble.world,
    judged: judge(result, { ...witness, writes: witness.writes.filter((write) => isOn(write, trouble)) }),
  }));
  const stray = (told[0]?.witness.writes ?? []).filter(
    (write) => !write.own && !told.some(({ trouble }) => isOn(write, trouble)),
  );
  const reasons = [
    ...each.flatMap(({ of, judged }) => judged.reasons.map((reason) => `${of}: ${reason}`)),
    ...stray.map(({ method, path }) => `${method} ${path} is on nothing that was broken`),
    ...told.flatMap(mixedIn),
  ];
  return {
    ok: reasons.length === 0,
    reasons,
    unproven: each.flatMap(({ of, judged }) => judged.unproven.map((text) => `${of}: ${text}`)),
  };
}

/** The sandbox's own writes are nobody's act, and stay with each. */
function isOn({ path, own }: SandboxWrite, { culprit }: Trouble): boolean {
  return own || (culprit !== null && (path.split("?")[0] ?? "").split("/").includes(culprit));
}

/** What an incident holds of a world that nothing joins to its own. */
function mixedIn({ trouble, result: { incident } }: Told): readonly string[] {
  const services: readonly string[] = WORLDS[trouble.world].services;
  const others = (incident?.affectedServices ?? []).filter((service) => !services.includes(service));
  return others.length === 0
    ? []
    : [`the incident of ${trouble.culprit ?? trouble.world} holds ${others.join(", ")}, which nothing joins to it`];
}
