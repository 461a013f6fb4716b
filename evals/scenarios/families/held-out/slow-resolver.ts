import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE, SECOND } from "../../world/model.ts";

/**
 * The cluster's name servers lose some of the questions. A request that has to look a name up waits for the resolver's timeout, all others
 * are as ever: the slowest percents jump to multiples of five seconds, everywhere at once. resolv.conf(5): `timeout` is 5 s by default,
 * two attempts; "Racy conntrack and DNS lookup timeouts" (Weaveworks, 2018) and kubernetes/kubernetes#56903; 1 % of the lookups and more.
 */
export const slowResolver: Family = {
  name: "slow-resolver",
  faulty: false,
  wishes: { services: [7, 35], crowd: [1, 5] },
  plot: (stage) => {
    const { draw, system } = stage;
    const asking = system.services.filter(({ tier }) => tier !== "external" && tier !== "store");
    const hit = draw.shuffle(asking).slice(0, Math.max(4, Math.round(asking.length * draw.uniform(0.5, 1))));
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(10, 30) * MINUTE;
    const lost = draw.logUniform(0.015, 0.12);
    const ms = draw.chance(0.75) ? 5 * SECOND : draw.pick([1, 2.5, 10]) * SECOND;
    return {
      why: "name servers that all share lose questions; no service's change did it",
      changes: [],
      faults: hit.map((service) =>
        outside(service, stage.moment, end, {
          stall: { share: Math.min(0.3, lost * draw.logUniform(0.5, 2)), ms },
          rampMs: draw.uniform(0, 2) * MINUTE,
          signature: "lookup of upstream on 10.96.0.10:53: read udp: i/o timeout, retrying id={id}",
        }),
      ),
    };
  },
};
