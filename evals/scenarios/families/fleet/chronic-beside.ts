import type { Family } from "../../family.ts";
import { busyApartFrom, chronic, WEEKS } from "../../fleet-stories.ts";
import { failing, slow } from "../../stories.ts";

/** One service has been degraded for weeks; another, that nothing joins to it, gets a bad deploy. */
export const chronicBeside: Family = {
  name: "chronic-beside",
  faulty: true,
  wishes: { islands: 2, services: [5, 14], evidence: WEEKS },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const bad = stage.change("deploy", service, stage.moment);
    const others = draw.shuffle(busyApartFrom(stage, service.name)).slice(0, draw.integer(1, 2));
    if (others.length === 0) throw new RangeError("nobody else is busy");
    return {
      why: "what has been degraded for weeks has nothing to do with this service, which its own version breaks",
      changes: [bad],
      faults: [
        ...others.flatMap((other) => chronic(stage, other)),
        draw.chance(0.65) ? failing(draw, bad) : slow(draw, bad),
      ],
    };
  },
};
