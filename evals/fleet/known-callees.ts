import { MINUTE, type ServiceModel } from "../scenarios/world/model.ts";
import type { ApartPlot, ApartWorld } from "./apart-world.ts";
import { badVersion, brokenMeanwhile, type Tell } from "./own-deploy.ts";

/** Which of those that a service is known to call breaks, while nothing is measured of it. */
export const UNSEEN = ["an external that it calls", "a callee without data"] as const;
export type Unseen = (typeof UNSEEN)[number];

const EXTERNAL = "cards.example";
/** Of the onset: at a random instant of so long after the start of the deploy. */
const AFTER_MS = 3 * MINUTE;
/** A caller suffers in seven cases of ten. */
const SUFFERS = 0.7;

/**
 * The service's own deploy is innocent: within three minutes after its start something breaks that the service is known to
 * call: an external, or a measured service whose signals stop at that very moment. Its healthy callees are measured, its
 * callers suffer or do not, and nothing is measured by version.
 */
export function unseenCallee(world: ApartWorld, service: ServiceModel, cause: Unseen): ApartPlot {
  const draw = world.draw.stream("unseen callee");
  const graph = drawGraph(world, service);
  const afterMs = draw.uniform(0, AFTER_MS);
  const silent = cause === "a callee without data" ? graph.callees[0] : undefined;
  const name = silent ?? EXTERNAL;
  const plot = brokenMeanwhile(world, service, world.moment - afterMs, { what: cause, name, afterMs });
  const suffering = graph.callers.filter(() => draw.chance(SUFFERS));
  return {
    ...plot,
    versions: false,
    faults: [
      ...plot.faults,
      ...plot.faults.flatMap((fault) => suffering.map((caller) => ({ ...fault, service: caller }))),
    ],
    topology: topologyOf(service, graph, silent === undefined ? [EXTERNAL] : []),
    gaps: silent === undefined ? [] : plot.faults.map(({ from, to }) => ({ service: silent, metric: null, from, to })),
  };
}

/** The same world in which the version is bad: it calls an external that nobody measures, and its callees are well. */
export function badAboveExternal(world: ApartWorld, service: ServiceModel, tell: Tell): ApartPlot {
  return {
    ...badVersion(world, service, world.moment, tell),
    topology: topologyOf(service, drawGraph(world, service), [EXTERNAL]),
  };
}

interface Around {
  readonly callees: readonly string[];
  readonly callers: readonly string[];
}

/** The other services of the world around this one: one to three that it calls, and those that call it. */
function drawGraph({ draw, system }: ApartWorld, { name }: ServiceModel): Around {
  const graph = draw.stream("graph");
  const others = graph.shuffle(system.services.map((one) => one.name).filter((one) => one !== name));
  const count = Math.min(others.length, graph.integer(1, 3));
  return { callees: others.slice(0, count), callers: others.slice(count, count + graph.integer(0, 2)) };
}

const topologyOf = ({ name }: ServiceModel, { callees, callers }: Around, external: readonly string[]) => ({
  edges: [
    ...[...callees, ...external].map((callee) => [name, callee] as const),
    ...callers.map((caller) => [caller, name] as const),
  ],
  external,
});
