import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A service runs into trouble that no change made (its primary fails over, its disk fills and is cleaned) and comes back in minutes. */
export const selfRecovery: Family = {
  name: "self-recovery",
  faulty: false,
  wishes: { store: true },
  plot: (stage) => {
    const { draw, system } = stage;
    const store = draw.pick(system.services.filter(({ tier, expectedRate }) => tier === "store" && expectedRate > 2));
    const end = stage.moment + draw.uniform(3, 9) * MINUTE;
    const fault = outside(store, stage.moment, end, {
      errors: draw.uniform(0.1, 0.7),
      latencyFactor: draw.uniform(2, 10),
      signature: "primary is not available: election in progress id={id}",
    });
    return {
      why: "the store failed over and was back by itself; no change of any service was the cause",
      changes: [],
      faults: [fault],
      quiet: [store.name],
    };
  },
};
