import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A tenant of another team takes processor, cache and memory bandwidth on the nodes that host pods of three to five services which have
 * nothing to do with each other. Their slowest requests get slower while it works, in bouts. Zhang et al., "CPI²: CPU performance
 * isolation for shared compute clusters" (EuroSys 2013): antagonists multiply a victim's cycles per instruction by 1.5 to 3 and more.
 */
export const noisyNeighbour: Family = {
  name: "noisy-neighbour",
  faulty: false,
  wishes: { services: [8, 35], crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const victims = draw.shuffle(stage.busy(1)).slice(0, draw.integer(3, 5));
    if (victims.length < 3) throw new RangeError("too few services share the nodes");
    const everyMs = draw.uniform(4, 9) * MINUTE;
    const pulse = { everyMs, onMs: everyMs * draw.uniform(0.4, 0.75) };
    const end = draw.chance(0.6) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(12, 30) * MINUTE;
    return {
      why: "another tenant of their nodes starves the services; none of their changes did",
      changes: [],
      faults: victims.map((service) => {
        const hit = draw.uniform(0.3, 1);
        return outside(service, stage.moment, end, {
          pulse,
          capacityFactor: 1 - 0.4 * hit,
          latencyFactor: 1 + hit * draw.uniform(0.5, 2),
          signature: "scheduler: goroutine waited {ms}ms for a thread, cpu throttled {n} periods",
        });
      }),
    };
  },
};
