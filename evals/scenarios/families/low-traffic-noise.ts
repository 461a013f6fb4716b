import type { Family } from "../family.ts";

/** A few requests a minute: one failure is a third of a sample. Deploys happen; nothing is wrong. */
export const lowTrafficNoise: Family = {
  name: "low-traffic-noise",
  faulty: false,
  wishes: { entryRate: [0.03, 0.3], services: [5, 14], crowd: [2, 6] },
  plot: (stage) => {
    const { draw } = stage;
    const services = stage.busy(0).filter(({ expectedRate }) => expectedRate < 1);
    const changed = draw
      .shuffle(services)
      .slice(0, 2)
      .map((service, index) => stage.change("deploy", service, stage.moment + index * 600_000));
    return {
      why: "single failures among a few requests a minute are what they always were",
      changes: changed,
      faults: [],
    };
  },
};
