import type { Family } from "../../family.ts";
import { NO_GRAPH } from "../../fleet-stories.ts";
import { failing, slow } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Nobody knows who calls whom; a service's own bad deploy is one of ten to twenty of half an hour, some of them of services
 * that nothing measures.
 */
export const edgelessOwnDeploy: Family = {
  name: "edgeless-own-deploy",
  faulty: true,
  wishes: { services: [16, 40], crowd: [10, 20], evidence: NO_GRAPH },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const bad = stage.change("deploy", service, stage.moment, { rolloutMs: draw.uniform(0.4, 2) * MINUTE });
    const others = stage.busy(0).filter(({ name }) => name !== service.name);
    return {
      why: "the deploys elsewhere have nothing to do with it: this version fails by itself",
      changes: [bad],
      unmeasured: draw
        .shuffle(others)
        .slice(0, Math.round(others.length * draw.uniform(0.2, 0.6)))
        .map(({ name }) => name),
      faults: [draw.chance(0.7) ? failing(draw, bad) : slow(draw, bad)],
    };
  },
};
