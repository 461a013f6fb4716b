import type { Family } from "../family.ts";
import { failing } from "../stories.ts";

/** A new version fails a share of its requests from its first pod on. */
export const badDeployErrors: Family = {
  name: "bad-deploy-errors",
  faulty: true,
  plot: (stage) => {
    const change = stage.change("deploy", stage.draw.pick(stage.busy()), stage.moment);
    return {
      why: "the new version fails requests that the old one served",
      changes: [change],
      faults: [failing(stage.draw, change)],
    };
  },
};
