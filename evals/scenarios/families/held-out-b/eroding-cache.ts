import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A new version, or a flag, no longer refreshes what the cache holds. All is well while the old entries live; as one after another expires, over
 * a quarter to half an hour, the share of hits erodes, what lies behind is asked more and more, and saturates in the end. The hits
 * fall long before anybody is hurt. Storecode, "Incident report: A cache stampede" (2019: hits from 90–95 % to below 30 %, the database
 * became the cache); Nishtala et al., "Scaling Memcache at Facebook" (NSDI 2013). Lifetimes of 15 to 35 minutes.
 */
export const erodingCache: Family = {
  name: "eroding-cache",
  faulty: true,
  wishes: { watchMinutes: [55, 80], utilisation: [0.2, 0.4], crowd: [1, 3] },
  plot: (stage) => {
    const { draw, system } = stage;
    const service = draw.pick(
      stage
        .busy()
        .filter(
          ({ cached, name }) =>
            cached &&
            system.calls.some(
              ({ caller, callee, queue, perRequest }) =>
                caller === name && !queue && perRequest > 0.2 && stage.service(callee).tier !== "external",
            ),
        ),
    );
    const change = stage.change(draw.chance(0.65) ? "deploy" : "flag", service, stage.moment);
    return {
      why: "nothing refreshes the cache since the change; as its entries expire, everything is asked of what lies behind",
      changes: [change],
      quiet: stage.calleesOf(service.name).map(({ name }) => name),
      faults: [
        {
          because: change.id,
          service: service.name,
          from: change.shares[0]?.at ?? change.startedAt,
          to: Number.POSITIVE_INFINITY,
          withVersion: change.kind === "deploy",
          rampMs: draw.uniform(15, 35) * MINUTE,
          cacheMiss: draw.uniform(0.75, 1),
          latencyFactor: draw.uniform(1.3, 2.4),
          signature: "loaded {n} expired entries from origin in {ms}ms, not written back",
          main: true,
        },
      ],
    };
  },
};
