import type { Family } from "../family.ts";
import { failing } from "../stories.ts";

/** A bad deploy that cannot be rolled back: its version writes data that the old one cannot read. */
export const irreversibleDeploy: Family = {
  name: "irreversible-deploy",
  faulty: true,
  plot: (stage) => {
    const change = stage.change("deploy", stage.draw.pick(stage.busy()), stage.moment, { reversible: false });
    return {
      why: "the deploy is the culprit but is marked irreversible: people must fix it forward",
      changes: [change],
      faults: [failing(stage.draw, change)],
    };
  },
};
