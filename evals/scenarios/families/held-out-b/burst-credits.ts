import type { Family } from "../../family.ts";
import { outside, rateAt, sharedDatabase } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A database's volume has served more than its base rate for hours and lived on credit. The credit is spent; from then on it serves the base rate
 * alone: queries wait for the disk, some fail, the processor idles, and nobody asks for more than before. One of the callers was
 * deployed minutes before. Amazon EBS user guide, "General Purpose SSD volumes" (gp2: 5.4 million credits, then the baseline); ldaws.com,
 * "AWS EBS Burst Behaviour in EC2 and RDS" (reads from 0.5 to 3 ms). The base is 97 to 112 % of what is asked.
 */
export const burstCredits: Family = {
  name: "burst-credits",
  faulty: false,
  wishes: { store: true, crowd: [1, 4], evidence: { logs: true } },
  plot: (stage) => {
    const { draw } = stage;
    const store = sharedDatabase(stage);
    const caller = draw.pick(stage.callersOf(store.name));
    const end = draw.chance(0.6) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(14, 30) * MINUTE;
    return {
      why: "the volume has spent its burst credits and serves its base rate; no change asked for more",
      changes: draw.chance(0.7) ? [stage.change("deploy", caller, stage.moment - draw.uniform(6, 18) * MINUTE)] : [],
      quiet: [store.name, ...stage.callersOf(store.name).map(({ name }) => name)],
      faults: [
        outside(store, stage.moment, end, {
          ceiling: rateAt(stage, store, stage.moment) * draw.uniform(0.97, 1.12),
          signature: "io wait {ms}ms on volume vol-{hex}, queue length {n}",
        }),
      ],
    };
  },
};
