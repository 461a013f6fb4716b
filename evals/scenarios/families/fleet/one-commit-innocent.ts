import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE, SECOND } from "../../world/model.ts";

/** One commit is rolled out to many services at once; a moment later an external dependency fails those who call it, none of which it reached. */
export const oneCommitInnocent: Family = {
  name: "one-commit-innocent",
  faulty: false,
  wishes: { external: true, services: [12, 35] },
  plot: (stage) => {
    const { draw, system } = stage;
    const external = draw.pick(
      system.services.filter(({ tier, expectedRate }) => tier === "external" && expectedRate > 1),
    );
    const callers = stage.callersOf(external.name).map(({ name }) => name);
    const train = draw.shuffle(stage.busy(0.2).filter(({ name }) => !callers.includes(name)));
    if (train.length < 4) throw new RangeError("too few other services");
    const commit = draw.hex(40);
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(10, 30) * MINUTE;
    return {
      why: `the external dependency ${external.name} fails its callers; what the commit reached is as it was`,
      changes: train.slice(0, draw.integer(4, 12)).map((service) =>
        stage.change("deploy", service, stage.moment - draw.uniform(5, 90) * SECOND, {
          commit,
          message: "Rebuild all services on the patched base image",
        }),
      ),
      quiet: callers,
      faults: [
        draw.chance(0.6)
          ? outside(external, stage.moment, end, { errors: draw.uniform(0.3, 1) })
          : outside(external, stage.moment, end, { latencyFactor: draw.uniform(8, 60) }),
      ],
    };
  },
};
