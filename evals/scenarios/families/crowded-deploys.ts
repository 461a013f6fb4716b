import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** Many services are deployed within the same minutes; one of the new versions is bad. */
export const crowdedDeploys: Family = {
  name: "crowded-deploys",
  faulty: true,
  wishes: { services: [10, 35] },
  plot: (stage) => {
    const { draw } = stage;
    const [guilty, ...others] = draw.shuffle(stage.busy());
    if (guilty === undefined) throw new RangeError("nobody is busy");
    const bad = stage.change("deploy", guilty, stage.moment, { rolloutMs: draw.uniform(1, 6) * MINUTE });
    const crowd = others.slice(0, draw.integer(3, 9)).map((service) =>
      stage.change("deploy", service, stage.moment + draw.uniform(-4, 3) * MINUTE, {
        rolloutMs: draw.uniform(1, 6) * MINUTE,
      }),
    );
    const fault = draw.chance(0.65) ? failing(draw, bad) : slow(draw, bad);
    return {
      why: "of all that was deployed together, one version fails by itself",
      changes: [bad, ...crowd],
      faults: [fault],
    };
  },
};
