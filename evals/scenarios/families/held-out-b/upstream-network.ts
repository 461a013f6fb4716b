import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A network between the users and us leaks or loses its routes. A third to two thirds of the traffic is gone from all entries at once, orders with
 * it; no request that arrives fails, and everything inside is idler. When the routes come back, so do the users, more than usual for
 * some minutes. A service behind the entries was deployed just before. Cloudflare, "How Verizon and a BGP Optimizer Knocked Large Parts of
 * the Internet Offline Today" (2019); Rogers, outage of 8 July 2022. Two entries and more, so that none of them alone is suspect.
 */
export const upstreamNetwork: Family = {
  name: "upstream-network",
  faulty: false,
  wishes: { services: [12, 35], watchMinutes: [45, 65], crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const entries = system.services.filter(({ tier }) => tier === "entry");
    if (entries.length < 2) throw new RangeError("a single entry could have lost its traffic by itself");
    const lost = draw.uniform(0.33, 0.67);
    const lasts = draw.chance(0.35);
    const end = lasts ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(9, 25) * MINUTE;
    const back = draw.uniform(1.3, 1.8);
    const rampMs = draw.uniform(0.1, 2) * MINUTE;
    const behind = draw.pick(stage.busy().filter(({ tier }) => tier !== "entry"));
    return {
      why: "a network outside loses a part of the users' requests before they reach us; what reaches us is served",
      changes: [stage.change("deploy", behind, stage.moment - draw.uniform(0.5, 5) * MINUTE)],
      quiet: entries.map(({ name }) => name),
      faults: entries.flatMap((entry) => [
        outside(entry, stage.moment, end, { rampMs, loadFactor: 1 - lost * draw.uniform(0.9, 1.1) }),
        ...(lasts
          ? []
          : [
              outside(entry, end, end + 12 * MINUTE, {
                fadeMs: draw.uniform(1.5, 4) * MINUTE,
                loadFactor: back * draw.uniform(0.9, 1.1),
              }),
            ]),
      ]),
    };
  },
};
