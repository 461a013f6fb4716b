import type { Family } from "../../family.ts";
import { failing, slow } from "../../stories.ts";
import { HOUR, MINUTE, SECOND } from "../../world/model.ts";

/**
 * A bad deploy is being rolled back by a person when the watch begins: the old version returns pod by pod, and the trouble shrinks with it.
 * A second rollback would be of the wrong thing. Beyer et al., "Site Reliability Engineering", ch. 12 and 13, roll
 * back first; Kubernetes' `rollout undo` is a rollout of its own, a quarter of the pods at a time.
 */
export const takenBack: Family = {
  name: "taken-back",
  faulty: false,
  wishes: { crowd: [0, 3] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const bad = stage.change("deploy", service, clock.watchStart - draw.uniform(14, 30) * MINUTE, {
      rolloutMs: draw.uniform(1, 4) * MINUTE,
    });
    const back = stage.change("deploy", service, clock.watchStart - draw.uniform(2, 60) * SECOND, {
      rolloutMs: draw.uniform(2, 4.5) * MINUTE,
      undoes: bad.id,
      message: "Revert",
    });
    const fault = draw.chance(0.65) ? failing(draw, bad, { errors: draw.logUniform(0.04, 0.5) }) : slow(draw, bad);
    return {
      why: "a person's rollback is under way and fixes it; there is nothing left to roll back",
      changes: [bad, back],
      quietFor: HOUR,
      faults: [{ ...fault, fixedBy: back.id }],
    };
  },
};
