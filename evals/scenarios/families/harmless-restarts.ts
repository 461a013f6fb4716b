import type { Family } from "../family.ts";
import { type Fault, MINUTE, type PlannedChange, SECOND } from "../world/model.ts";

/**
 * Deploys whose new pods are slow, and drop a few requests, for their first minute. The same services did so at their
 * deploys before, in the history that can be looked up; it passed then, and passes now.
 */
export const harmlessRestarts: Family = {
  name: "harmless-restarts",
  faulty: false,
  wishes: { crowd: [0, 2], historyMinutes: [110, 180] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const services = draw.shuffle(stage.busy()).slice(0, draw.integer(1, 3));
    const told = services.flatMap((service, index) => {
      const warmth = {
        latencyFactor: draw.uniform(2, 5),
        errors: draw.uniform(0, 0.05),
        fadeMs: draw.uniform(12, 25) * SECOND,
      };
      const now = stage.moment + index * draw.uniform(60, 400) * SECOND;
      const before = clock.historyStart + draw.uniform(10, 60) * MINUTE;
      return [before, now].map((at) => {
        const change = stage.change("deploy", service, at);
        return { change, fault: warming(change, warmth) };
      });
    });
    return {
      why: "new pods warm up for a minute, as they always do, and are then as good as the old ones",
      changes: told.map(({ change }) => change),
      faults: told.map(({ fault }) => fault),
    };
  },
};

function warming(change: PlannedChange, warmth: Partial<Fault>): Fault {
  const from = change.shares[0]?.at ?? change.startedAt;
  return {
    because: change.id,
    service: change.service,
    from,
    to: from + 85 * SECOND,
    withVersion: true,
    signature: "cache is cold, loading {n} entries",
    ...warmth,
  };
}
