import type { Family } from "../../family.ts";
import { sharedDatabase } from "../../stories.ts";
import { MINUTE, SECOND } from "../../world/model.ts";

/**
 * A flag makes one service subscribe to a store's changes instead of asking for them. The subscriptions contend for one lock in the store, and
 * a part of everybody's queries waits for it; the service with the flag is hurt no more than the others, and less than some. The
 * store's open connections jump as the flag goes on. Roblox, "Return to Service 10/28–10/31 2021": a streaming feature of Consul, on
 * under high read and write load, led to contention on a single channel. Waits of 0.2 to 3 s for 3 to 20 % of the queries.
 */
export const streamContention: Family = {
  name: "stream-contention",
  faulty: true,
  wishes: { store: true, services: [7, 35], crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const store = sharedDatabase(stage);
    const subscriber = draw.pick(stage.callersOf(store.name).filter(({ expectedRate }) => expectedRate >= 2));
    const flag = stage.change("flag", subscriber, stage.moment);
    const from = flag.startedAt + draw.uniform(1, 20) * SECOND;
    const opened = draw.uniform(0.5, 1.5) * MINUTE;
    return {
      why: "the subscriptions that the flag opens contend in the store; with the flag off they are gone",
      changes: [flag],
      quiet: [store.name, ...stage.callersOf(store.name).map(({ name }) => name)],
      faults: [
        {
          because: flag.id,
          service: store.name,
          from,
          to: from + opened,
          leftOpenPerHour: (draw.integer(30, 120) * 60 * MINUTE) / opened,
        },
        {
          because: flag.id,
          service: store.name,
          from,
          to: Number.POSITIVE_INFINITY,
          rampMs: draw.uniform(1, 6) * MINUTE,
          stall: { share: draw.logUniform(0.03, 0.2), ms: Math.round(draw.logUniform(200, 3000)) },
          latencyFactor: draw.uniform(1.2, 2),
          signature: `waited {ms}ms for the stream lock, {n} subscriptions of ${subscriber.name}`,
          main: true,
        },
      ],
    };
  },
};
