import type { Family } from "../family.ts";
import { failing } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** Pods of the new version crash again and again: requests on them die, and readiness fails. */
export const badDeployCrashLoop: Family = {
  name: "bad-deploy-crash-loop",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const change = stage.change("deploy", draw.pick(stage.busy()), stage.moment);
    const crash = failing(draw, change, {
      errors: draw.uniform(0.05, 0.4),
      unready: draw.uniform(0.3, 0.8),
      capacityFactor: draw.uniform(0.5, 0.9),
      rampMs: draw.uniform(0, 1) * MINUTE,
      signature: "fatal: cannot open /etc/secrets/token: no such file, exiting pid={id}",
    });
    return { why: "the new version's pods crash in a loop", changes: [change], faults: [crash] };
  },
};
