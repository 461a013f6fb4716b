import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** Far more visitors than usual: everything on their way is busier, some of it saturates. User behaviour: 9 % of triggers (SRE Workbook, table C-1). */
export const trafficSurge: Family = {
  name: "traffic-surge",
  faulty: false,
  wishes: { crowd: [1, 5] },
  plot: (stage) => {
    const { draw, system } = stage;
    const end = stage.moment + draw.uniform(10, 35) * MINUTE;
    const surge = { loadFactor: draw.uniform(1.8, 4), rampMs: draw.uniform(0.5, 4) * MINUTE };
    const entries = system.services.filter(({ tier }) => tier === "entry");
    return {
      why: "visitors came, and went again; nothing was changed for the worse",
      changes: [],
      faults: entries.map((entry) => outside(entry, stage.moment, end, surge)),
    };
  },
};
