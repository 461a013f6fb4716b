import type { Family } from "../family.ts";
import { decoy, failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** Services that share a caller with the bad one, and others, were changed after it and nearer to the symptom. */
export const decoyNeighbour: Family = {
  name: "decoy-neighbour",
  faulty: true,
  wishes: { services: [8, 35] },
  plot: (stage) => {
    const { draw } = stage;
    const guilty = draw.pick(stage.busy().filter(({ name }) => stage.callersOf(name).length > 0));
    const near = new Set(
      stage
        .callersOf(guilty.name)
        .flatMap(({ name }) => stage.calleesOf(name))
        .map(({ name }) => name),
    );
    const neighbours = draw
      .shuffle(stage.busy(0.5).filter(({ name }) => near.has(name) && name !== guilty.name))
      .slice(0, 2);
    if (neighbours.length === 0) throw new RangeError("the service has no neighbour");
    const bad = stage.change("deploy", guilty, stage.moment);
    const fault = { ...(draw.chance(0.7) ? failing(draw, bad) : slow(draw, bad)), rampMs: draw.uniform(0, 3) * MINUTE };
    return {
      why: "the neighbours' changes lie nearer to the symptom, but only this service fails by itself",
      changes: [bad, ...neighbours.map((service) => decoy(stage, service, [-3, 2]))],
      faults: [fault],
    };
  },
};
