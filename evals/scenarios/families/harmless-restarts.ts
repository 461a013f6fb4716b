import type { Family } from "../family.ts";
import { type Fault, SECOND } from "../world/model.ts";

/** Deploys whose new pods are slow, and drop a few requests, for their first minute. Every deploy here does that; it passes. */
export const harmlessRestarts: Family = {
  name: "harmless-restarts",
  faulty: false,
  wishes: { crowd: [0, 2] },
  plot: (stage) => {
    const { draw } = stage;
    const changes = draw
      .shuffle(stage.busy())
      .slice(0, draw.integer(1, 3))
      .map((service, index) => stage.change("deploy", service, stage.moment + index * draw.uniform(60, 400) * SECOND));
    const faults = changes.map((change): Fault => {
      const from = change.shares[0]?.at ?? change.startedAt;
      const slow = { latencyFactor: draw.uniform(2, 5), fadeMs: draw.uniform(12, 25) * SECOND };
      return {
        because: change.id,
        service: change.service,
        from,
        to: from + 85 * SECOND,
        withVersion: true,
        ...slow,
        errors: draw.uniform(0, 0.05),
        signature: "cache is cold, loading {n} entries",
      };
    });
    return { why: "new pods warm up for a minute and are then as good as the old ones", changes, faults };
  },
};
