import type { Family } from "../family.ts";
import { callerAndCallee, decoy, failing, slow } from "../stories.ts";

/** The caller, which only suffers, was deployed shortly before or after its callee's bad version. */
export const decoyCaller: Family = {
  name: "decoy-caller",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const bad = stage.change("deploy", callee, stage.moment);
    const innocent = decoy(stage, caller, [-1.5, 4]);
    const fault = draw.chance(0.7) ? failing(draw, bad) : slow(draw, bad);
    return {
      why: "the callee fails by itself; its caller, deployed at about the same time, only passes it on",
      changes: [bad, innocent],
      faults: [fault],
    };
  },
};
