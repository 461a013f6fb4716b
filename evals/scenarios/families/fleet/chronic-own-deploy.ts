import type { Family } from "../../family.ts";
import { chronic, WEEKS } from "../../fleet-stories.ts";
import { failing, slow } from "../../stories.ts";

/** A service that has been degraded for weeks gets a bad deploy of its own: what it adds is its own, what was there stays. */
export const chronicOwnDeploy: Family = {
  name: "chronic-own-deploy",
  faulty: true,
  wishes: { evidence: WEEKS, services: [5, 25] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const bad = stage.change("deploy", service, stage.moment);
    const fault = draw.chance(0.7)
      ? failing(draw, bad, { errors: draw.logUniform(0.08, 0.6) })
      : slow(draw, bad, { latencyFactor: draw.logUniform(2.5, 8) });
    return {
      why: "the service was degraded for weeks; this version adds a fault of its own, and without it only the old one is left",
      changes: [bad],
      faults: [...chronic(stage, service), fault],
    };
  },
};
