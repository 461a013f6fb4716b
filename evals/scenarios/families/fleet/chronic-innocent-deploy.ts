import type { Family } from "../../family.ts";
import { chronic, WEEKS } from "../../fleet-stories.ts";
import { MINUTE } from "../../world/model.ts";

/** A service that has been degraded for weeks is deployed, and neither better nor worse for it. */
export const chronicInnocentDeploy: Family = {
  name: "chronic-innocent-deploy",
  faulty: false,
  wishes: { evidence: WEEKS, services: [5, 25], crowd: [1, 6] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const again = draw.chance(0.4)
      ? [stage.change("config", service, stage.moment + draw.uniform(5, 15) * MINUTE)]
      : [];
    return {
      why: "it was as degraded before this version as it is after it",
      changes: [stage.change("deploy", service, stage.moment), ...again],
      faults: chronic(stage, service),
    };
  },
};
