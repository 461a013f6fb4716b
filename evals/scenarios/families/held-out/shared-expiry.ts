import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A pushed configuration gives every cache entry the same fixed lifetime. All of them expire together, again and again: for one to
 * two and a half minutes in every few, everything is asked of what lies behind the cache at once; in between all is well. Nishtala
 * et al., "Scaling Memcache at Facebook" (NSDI 2013, thundering herds), and Vattani et al., "Optimal Probabilistic Cache Stampede
 * Prevention" (VLDB 2015). Lifetimes of 3 to 6 minutes; a stampede takes 35 to 45 % of that.
 */
export const sharedExpiry: Family = {
  name: "shared-expiry",
  faulty: true,
  wishes: { watchMinutes: [50, 70], crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(
      stage
        .busy()
        .filter(({ cached, name }) => cached && stage.calleesOf(name).some(({ tier }) => tier !== "external")),
    );
    const config = stage.change("config", service, stage.moment);
    const everyMs = draw.uniform(3, 6) * MINUTE;
    return {
      why: "all entries of the cache expire at one moment, every few minutes, since the pushed lifetime has no spread",
      changes: [config],
      faults: [
        {
          because: config.id,
          service: service.name,
          from: (config.finishedAt ?? config.startedAt) + draw.uniform(0.2, 1) * MINUTE,
          to: Number.POSITIVE_INFINITY,
          pulse: { everyMs, onMs: everyMs * draw.uniform(0.35, 0.45) },
          cacheMiss: draw.uniform(0.7, 1),
          latencyFactor: draw.logUniform(1.5, 3.5),
          cpuFactor: draw.uniform(1.1, 1.5),
          signature: "stampede guard: {n} concurrent loads of one key, waited {ms}ms",
          main: true,
        },
      ],
    };
  },
};
