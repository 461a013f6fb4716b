import type { Family } from "../../family.ts";
import { failing, slow } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * One pipeline rolls five services out, one after another. The last one is bad; each of the four before it had a few quiet
 * minutes, and some of them call it or are called by it. Release trains: Rossi et al., "Continuous Deployment of Mobile Software at
 * Facebook" (FSE 2016). A stage takes one to three minutes, as a rolling update of a few pods does.
 */
export const releaseTrain: Family = {
  name: "release-train",
  faulty: true,
  wishes: { services: [9, 35], crowd: [0, 2] },
  plot: (stage) => {
    const { draw } = stage;
    const train = draw.shuffle(stage.busy()).slice(0, 5);
    if (train.length < 5) throw new RangeError("too few services for a train");
    const apart = draw.uniform(1.2, 3) * MINUTE;
    const message = `Release train ${draw.integer(20, 90)}`;
    const changes = train.map((service, index) =>
      stage.change("deploy", service, stage.moment - (train.length - 1 - index) * apart, {
        rolloutMs: draw.uniform(0.6, 1.1) * apart,
        message,
      }),
    );
    const bad = changes.at(-1);
    if (bad === undefined) throw new RangeError("an empty train");
    return {
      why: "of the five that one pipeline rolled out, only the last fails by itself",
      changes,
      faults: [draw.chance(0.65) ? failing(draw, bad) : slow(draw, bad)],
    };
  },
};
