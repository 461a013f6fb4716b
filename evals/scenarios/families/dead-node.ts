import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/**
 * A node dies with pods of several services on it: requests on them fail until their endpoints are removed, and capacity is missing
 * until the pods run elsewhere. Kubernetes notices after 40 s and evicts after 5 min by default (node-monitor-grace-period, taint tolerations).
 */
export const deadNode: Family = {
  name: "dead-node",
  faulty: false,
  wishes: { crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const hosted = draw.shuffle(stage.busy(0.5)).slice(0, draw.integer(2, 5));
    const noticed = stage.moment + draw.uniform(35, 60) * 1000;
    const moved = stage.moment + draw.uniform(5, 7.5) * MINUTE;
    const faults = hosted.flatMap((service) => {
      const lost = Math.min(0.5, draw.integer(1, 2) / service.pods);
      return [
        outside(service, stage.moment, noticed, {
          errors: lost * 0.9,
          signature: "connection refused by peer pod id={id}",
        }),
        outside(service, stage.moment, moved, { unready: lost, capacityFactor: 1 - lost }),
      ];
    });
    return { why: "a node died; the pods came up elsewhere by themselves", changes: [], faults };
  },
};
