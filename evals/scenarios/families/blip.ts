import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { SECOND } from "../world/model.ts";

/** Errors or slowness for less than a minute and a half, with or without a deploy beside it; then all is as before. */
export const blip: Family = {
  name: "blip",
  faulty: false,
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const end = stage.moment + draw.uniform(20, 80) * SECOND;
    const fault = draw.chance(0.6)
      ? outside(service, stage.moment, end, {
          errors: draw.uniform(0.03, 0.3),
          signature: "connection reset by peer id={id}",
        })
      : outside(service, stage.moment, end, { latencyFactor: draw.uniform(1.8, 5) });
    const other = draw.pick(stage.busy(0.5).filter(({ name }) => name !== service.name));
    const beside = draw.chance(0.5)
      ? [stage.change("deploy", other, stage.moment - draw.uniform(1, 6) * 60 * SECOND)]
      : [];
    return { why: "it lasted for seconds and passed by itself", changes: beside, faults: [fault] };
  },
};
