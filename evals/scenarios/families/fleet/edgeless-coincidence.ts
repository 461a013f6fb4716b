import type { Family } from "../../family.ts";
import { NO_GRAPH } from "../../fleet-stories.ts";
import { outside } from "../../stories.ts";
import { type Fault, MINUTE, SECOND } from "../../world/model.ts";

/**
 * Nobody knows who calls whom; at the instant at which a service's own new version begins to serve, a callee that nothing
 * measures fails it, or something on its own machines does. The rollout goes on for minutes, and the version that was
 * there before fails as much: that alone tells it from a bad deploy.
 */
export const edgelessCoincidence: Family = {
  name: "edgeless-coincidence",
  faulty: false,
  wishes: { services: [5, 30], external: true, crowd: [0, 12], evidence: NO_GRAPH },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy().filter(({ pods }) => pods >= 3));
    const innocent = stage.change("deploy", service, stage.moment, { rolloutMs: draw.uniform(2, 5) * MINUTE });
    const instant = (innocent.shares[0]?.at ?? stage.moment) + draw.uniform(-4, 8) * SECOND;
    const end = draw.chance(0.6) ? Number.POSITIVE_INFINITY : instant + draw.uniform(12, 35) * MINUTE;
    const callees = stage.calleesOf(service.name);
    const broken = callees.length > 0 && draw.chance(0.75) ? draw.pick(callees) : service;
    const external = broken.tier === "external";
    return {
      why:
        broken === service
          ? "the machines of the service fail both its versions alike"
          : `${broken.name}, which nothing measures, fails both versions of its caller alike`,
      changes: [innocent],
      quiet: [broken.name],
      unmeasured: broken === service || external ? [] : [broken.name],
      faults: [outside(broken, instant, end, strength(stage.draw.chance(0.65), external, draw.uniform(0, 1)))],
    };
  },
};

/** What is worse: failures that a caller's fallback may hide in part, or slowness. `of`: how much, 0–1. */
function strength(fails: boolean, external: boolean, of: number): Partial<Fault> {
  if (fails) return { errors: 0.15 + 0.6 * of, signature: "write failed: read-only file system id={id}" };
  return external
    ? { latencyFactor: 10 + 40 * of }
    : { latencyFactor: 3 + 6 * of, signature: "disk write took {ms}ms id={id}" };
}
