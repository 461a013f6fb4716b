import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** Something outside of every change breaks a service; a minute or two later somebody deploys it, and others, into the trouble. */
export const deployDuringIncident: Family = {
  name: "deploy-during-incident",
  faulty: false,
  plot: (stage) => {
    const { draw } = stage;
    const hurt = draw.pick(stage.busy());
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(15, 30) * MINUTE;
    const fault = draw.chance(0.5)
      ? outside(hurt, stage.moment, end, {
          errors: draw.uniform(0.06, 0.5),
          signature: "volume mount is read-only id={id}",
        })
      : outside(hurt, stage.moment, end, {
          latencyFactor: draw.uniform(2.5, 8),
          signature: "disk write took {ms}ms id={id}",
        });
    const into = [hurt, ...stage.callersOf(hurt.name).slice(0, 1)].map((service) =>
      stage.change("deploy", service, stage.moment + draw.uniform(1.5, 8) * MINUTE),
    );
    return {
      why: "the degradation began before these deploys did, and goes on whatever is undone",
      changes: into,
      faults: [fault],
    };
  },
};
