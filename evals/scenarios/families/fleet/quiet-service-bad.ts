import type { Family } from "../../family.ts";
import { failing } from "../../stories.ts";

/** A service with a request every few seconds gets a bad deploy: it takes minutes until that can be measured, and then it can. */
export const quietServiceBad: Family = {
  name: "quiet-service-bad",
  faulty: true,
  wishes: { entryRate: [0.1, 0.8], services: [5, 14], watchMinutes: [45, 60] },
  plot: (stage) => {
    const { draw } = stage;
    const quiet = stage.busy(0.1).filter(({ expectedRate }) => expectedRate < 1);
    const bad = stage.change("deploy", draw.pick(quiet), stage.moment);
    return {
      why: "few requests arrive, and the new version fails most of those that fail",
      changes: [bad],
      faults: [failing(draw, bad, { errors: draw.uniform(0.25, 0.7) })],
    };
  },
};
