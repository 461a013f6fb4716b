import type {
  Call,
  Fault,
  Grid,
  PlannedChange,
  Scenario,
  ServiceModel,
  SystemModel,
} from "../../../evals/scenarios/world/model.ts";
import { type Course, figure, type Track } from "../../../evals/scenarios/world/node.ts";
import { type Run, simulate } from "../../../evals/scenarios/world/simulate.ts";

/** Small systems made by hand, without slow randomness, so that a test can say what must come out. */

export const START = Date.UTC(2026, 2, 4, 12);
export const STEP = 15_000;
export const at = (minutes: number): number => START + minutes * 60_000;

export function service(name: string, more: Partial<ServiceModel> = {}): ServiceModel {
  return {
    name,
    namespace: "production",
    tier: "middle",
    criticality: "medium",
    revenuePerMinute: null,
    directRate: 0,
    expectedRate: 100,
    pods: 6,
    utilisation: 0.3,
    ownMedianMs: 20,
    tail: 0.6,
    baseError: 0.001,
    dispersion: 1,
    wander: { latency: 0, errors: 0, seconds: 60 },
    idleCpu: 0.05,
    memory: 0.4,
    cached: false,
    warmUp: { seconds: 30, factor: 1, resets: 0 },
    version: { major: 1, minor: 1 },
    ...more,
  };
}

export function call(caller: string, callee: string, more: Partial<Call> = {}): Call {
  return {
    caller,
    callee,
    perRequest: 1,
    timeoutMs: 2000,
    attempts: 1,
    fallback: 0,
    lagSeconds: 0,
    queue: false,
    ...more,
  };
}

/** web → api → db, and beside them a job that nobody calls; `web` gets 100 requests a second. */
export function chain(
  more: { readonly calls?: readonly Call[]; readonly services?: readonly ServiceModel[] } = {},
): SystemModel {
  return {
    services: more.services ?? [
      service("web", { tier: "entry", directRate: 100 }),
      service("job", { tier: "entry", directRate: 20, expectedRate: 20 }),
      service("api"),
      service("db", { tier: "leaf" }),
    ],
    calls: more.calls ?? [call("web", "api"), call("api", "db")],
    traffic: {
      dailySwing: 0,
      peakHour: 12,
      weekend: 1,
      wander: { spread: 0, seconds: 60 },
      burstsPerHour: 0,
      daily: null,
    },
  };
}

export const grid = (minutes: number): Grid => ({ start: START, stepMs: STEP, length: (minutes * 60_000) / STEP + 1 });

export function deploy(name: string, minutes: number, more: Partial<PlannedChange> = {}): PlannedChange {
  return {
    id: `deploy-${name}`,
    kind: "deploy",
    service: name,
    from: "v1.1.0",
    to: "v1.2.0",
    startedAt: at(minutes),
    finishedAt: at(minutes + 1),
    source: "argocd",
    reversible: true,
    author: "ana",
    shares: [
      { at: at(minutes), share: 0.5 },
      { at: at(minutes + 1), share: 1 },
    ],
    ...more,
  };
}

export function fault(name: string, minutes: number, more: Partial<Fault> = {}): Fault {
  return { because: null, service: name, from: at(minutes), to: Number.POSITIVE_INFINITY, ...more };
}

export function scenario(more: Partial<Scenario> = {}): Scenario {
  return {
    family: "by-hand",
    why: "",
    clock: { historyStart: START, watchStart: at(60), watchEnd: at(100), stepMs: STEP },
    system: chain(),
    changes: [],
    faults: [],
    gaps: [],
    lines: [],
    lateStart: [],
    evidence: { logs: true, spans: true, alerts: true, pods: false, coarseDays: 0, topology: true },
    human: null,
    ...more,
  };
}

/** What happens in a world of hundred minutes. */
export const run = (world: Partial<Scenario>): Run => simulate(scenario(world), grid(100), null);

export function courseOf(of: Run, name: string): Course {
  const course = of.courses.get(name);
  if (course === undefined) throw new Error(`no ${name}`);
  return course;
}

/** A figure of a whole service so many minutes after the start. */
export const value = (of: Run, name: string, minutes: number, pick: keyof Track): number =>
  figure(courseOf(of, name), minutes * 4, pick);
