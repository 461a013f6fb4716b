import type { Family } from "../../family.ts";
import { failing, signature } from "../../stories.ts";
import { MINUTE, SECOND } from "../../world/model.ts";

/** One commit is rolled out to several services at once, and breaks each of them: one shared change. */
export const oneCommitBad: Family = {
  name: "one-commit-bad",
  faulty: true,
  together: "all",
  wishes: { services: [8, 30] },
  plot: (stage) => {
    const { draw } = stage;
    const train = draw.shuffle(stage.busy()).slice(0, draw.integer(3, 5));
    if (train.length < 3) throw new RangeError("too few services are busy");
    const commit = draw.hex(40);
    const message = "Move all services to the new client library";
    const changes = train.map((service) =>
      stage.change("deploy", service, stage.moment + draw.uniform(0, 15) * SECOND, {
        commit,
        message,
        rolloutMs: draw.uniform(0.6, 1.5) * MINUTE,
      }),
    );
    const errors = draw.uniform(0.15, 0.5);
    const shared = signature(draw);
    return {
      why: "every service that this commit reached fails by its own; all of them must be rolled back",
      changes,
      faults: changes.map((change) =>
        failing(draw, change, { errors: errors * draw.uniform(0.75, 1.25), signature: shared }),
      ),
    };
  },
};
