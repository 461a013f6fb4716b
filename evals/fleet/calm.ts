import { changeMaker, number } from "../scenarios/background.ts";
import { createDraw } from "../scenarios/draw.ts";
import { type BundleFiles, toFiles } from "../scenarios/observe/bundle.ts";
import { MINUTE, type Scenario, SECOND } from "../scenarios/world/model.ts";
import { drawSystem } from "../scenarios/world/system.ts";
import { deriveTruth } from "../scenarios/world/truth.ts";

export interface CalmWishes {
  readonly services: number;
  readonly deploys: number;
  readonly beforeMs: number;
  readonly afterMs: number;
  /** Between which ms around the moment the deploys start. */
  readonly deploysFromMs: number;
  readonly deploysToMs: number;
}

/** The moment around which calm worlds are drawn, a working Wednesday's noon. Unix ms. */
export const CALM_MOMENT = Date.UTC(2026, 5, 3, 12);
const STEP = 15 * SECOND;

/**
 * A system of services, at most 50, in which nothing is wrong, with deploys of its own around `CALM_MOMENT`: rollouts cost
 * what rollouts cost. The same seed and wishes give the same files, byte for byte.
 */
export function calmWorld(seed: string, wishes: CalmWishes): BundleFiles {
  const draw = createDraw(`calm/${seed}`);
  const { services, deploys, beforeMs, afterMs, deploysFromMs, deploysToMs } = wishes;
  const system = drawSystem(draw.stream("system"), { services: [services, services], store: false, external: false });
  const maker = changeMaker(draw.stream("changes"));
  const when = draw.stream("when");
  const changes = when
    .shuffle(system.services)
    .slice(0, deploys)
    .map((service) => maker.make("deploy", service, CALM_MOMENT + when.uniform(deploysFromMs, deploysToMs)));
  const scenario: Scenario = {
    family: "calm",
    why: "nothing is wrong",
    clock: {
      historyStart: CALM_MOMENT - beforeMs,
      watchStart: CALM_MOMENT - Math.min(beforeMs, 10 * MINUTE),
      watchEnd: CALM_MOMENT + afterMs,
      stepMs: STEP,
    },
    system,
    changes: number(changes, system),
    faults: [],
    gaps: [],
    lines: [],
    lateStart: [],
    evidence: { logs: draw.chance(0.5), spans: false, alerts: false, pods: false, coarseDays: 0, topology: true },
    human: null,
  };
  return toFiles(
    { scenario, truth: deriveTruth(scenario), visibility: null },
    draw.stream("observed"),
    `calm-${draw.hex(8)}`,
  );
}
