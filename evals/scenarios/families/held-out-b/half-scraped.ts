import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * One of two or three collectors is lost, and with it the pods that it read. The traffic of most services seems to shrink to a half or two thirds
 * within one sample, orders too; errors, latency and processor are as before, as means and ratios are. Nobody is hurt. One of the
 * services was just deployed. Prometheus documentation, `<relabel_config>`, action `hashmod`: the targets are split over servers by the
 * hash of their address, so that each server holds a part of every service's pods.
 */
export const halfScraped: Family = {
  name: "half-scraped",
  faulty: false,
  wishes: { services: [6, 35], crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const left = draw.pick([1 / 3, 1 / 2, 1 / 2, 2 / 3]);
    const to = draw.chance(0.4) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(6, 25) * MINUTE;
    const read = system.services.filter(({ tier }) => tier !== "external");
    return {
      why: "a part of the pods is not read; what is read says that all is well",
      changes: [stage.change("deploy", draw.pick(stage.busy()), stage.moment - draw.uniform(0.5, 5) * MINUTE)],
      faults: [],
      // A hash spreads few pods unevenly; a service none of whose pods is read would have no samples at all.
      unread: read.map(({ name, pods }) => ({
        service: name,
        share: Math.max(1, draw.binomial(pods, left)) / pods,
        from: stage.moment,
        to,
      })),
    };
  },
};
