import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Crawlers discover one entry and read everything, the unpopular pages above all: its traffic grows within minutes and stays, caches help
 * them little, and what lies behind is asked for far more than the growth of the traffic says. Mueller, Danis and Lavagetto, "How
 * crawlers impact the operations of the Wikimedia projects" (2025): 35 % of the page views, 65 % of the most expensive requests.
 */
export const crawlerWave: Family = {
  name: "crawler-wave",
  faulty: false,
  wishes: { crowd: [1, 5] },
  plot: (stage) => {
    const { draw, system } = stage;
    const entry = draw.pick(stage.busy().filter(({ tier }) => tier === "entry"));
    const end = draw.chance(0.7) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(15, 30) * MINUTE;
    const rampMs = draw.uniform(1, 6) * MINUTE;
    const wave = { rampMs, loadFactor: draw.uniform(1.3, 2.2) };
    const dear = system.calls.filter(({ caller, queue }) => caller === entry.name && !queue);
    const behind = new Set(dear.map(({ callee }) => callee));
    return {
      why: "crawlers read what nobody else does; whoever undoes a deploy has as many of them as before",
      changes: [],
      quiet: [entry.name],
      faults: [
        outside(entry, stage.moment, end, wave),
        ...dear.map(({ callee }) =>
          outside(entry, stage.moment, end, {
            rampMs,
            loadFactor: 1,
            calls: { callee, factor: draw.uniform(1.1, 1.8) },
          }),
        ),
        ...system.services
          .filter(({ name, cached }) => cached && behind.has(name))
          .map(({ name }) => outside(name, stage.moment, end, { rampMs, cacheMiss: draw.uniform(0.2, 0.5) })),
      ],
    };
  },
};
