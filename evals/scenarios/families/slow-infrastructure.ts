import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A zone's network or disks are slow: services that call nothing of each other slow down at the same moment. Infrastructure and network: 26 % of incidents in Ghosh et al., SoCC 2022. */
export const slowInfrastructure: Family = {
  name: "slow-infrastructure",
  faulty: false,
  wishes: { services: [8, 35], crowd: [1, 5] },
  plot: (stage) => {
    const { draw, system } = stage;
    const observed = system.services.filter(({ tier }) => tier !== "external");
    const hit = draw.shuffle(observed).slice(0, Math.max(3, Math.round(observed.length * draw.uniform(0.3, 0.8))));
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(8, 30) * MINUTE;
    const slowdown = { rampMs: draw.uniform(0, 1) * MINUTE };
    return {
      why: "services that share nothing but their infrastructure slowed down together",
      changes: [],
      faults: hit.map((service) =>
        outside(service, stage.moment, end, { ...slowdown, addedMs: draw.uniform(0.8, 3) * service.ownMedianMs }),
      ),
    };
  },
};
