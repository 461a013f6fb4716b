import type { Family } from "../family.ts";
import { MINUTE } from "../world/model.ts";

/** A new version leaks memory; requests suffer only near the limit, tens of minutes later or not within the watch. */
export const badDeployLeak: Family = {
  name: "bad-deploy-leak",
  faulty: true,
  wishes: { watchMinutes: [50, 75] },
  plot: (stage) => {
    const { draw } = stage;
    const change = stage.change("deploy", draw.pick(stage.busy()), stage.moment, {
      rolloutMs: draw.uniform(1, 4) * MINUTE,
    });
    const leak = {
      because: change.id,
      service: change.service,
      from: change.startedAt,
      to: Number.POSITIVE_INFINITY,
      withVersion: true,
      memoryPerHour: draw.logUniform(0.25, 1.2),
      signature: "GC overhead limit approached: paused {ms}ms heap=9{n}%",
      main: true,
    };
    return {
      why: "memory of the new version grows without end; rolling it back before the limit spares the users",
      changes: [change],
      faults: [leak],
    };
  },
};
