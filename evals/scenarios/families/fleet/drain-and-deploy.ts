import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { type Fault, MINUTE, SECOND } from "../../world/model.ts";

/**
 * Nodes are drained one after the other, as an upgrade of a cluster does: each pod on them is evicted and starts elsewhere, and
 * until then its service has one pod fewer (Kubernetes documentation, "Safely Drain a Node"; a disruption budget lets one
 * go at a time). Some of these services are deployed meanwhile, and nothing is wrong with that.
 */
export const drainAndDeploy: Family = {
  name: "drain-and-deploy",
  faulty: false,
  wishes: { services: [8, 30], crowd: [0, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const all = draw.shuffle(stage.busy(0.2));
    const faults: Fault[] = [];
    let at = stage.moment - draw.uniform(0, 4) * MINUTE;
    for (let node = draw.integer(2, 6); node > 0; node--) {
      for (const service of draw.shuffle(all).slice(0, draw.integer(3, 7))) {
        const evicted = at + draw.uniform(0, 60) * SECOND;
        const ready = evicted + draw.uniform(12, 70) * SECOND;
        const one = 1 / service.pods;
        faults.push(outside(service, evicted, ready, { unready: one, capacityFactor: 1 - one }));
        if (draw.chance(0.3))
          faults.push(
            outside(service, evicted, evicted + 15 * SECOND, {
              errors: one * 0.3,
              signature: "connection reset by peer while draining id={id}",
            }),
          );
      }
      at += draw.uniform(1.5, 4) * MINUTE;
    }
    return {
      why: "pods moved from node to node while these were deployed; nothing is wrong with either",
      changes: all
        .slice(0, draw.integer(1, 2))
        .map((service) => stage.change("deploy", service, stage.moment + draw.uniform(-1, 5) * MINUTE)),
      faults,
    };
  },
};
