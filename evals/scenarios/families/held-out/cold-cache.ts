import type { Family } from "../../family.ts";
import { HOUR, MINUTE } from "../../world/model.ts";

/**
 * A deploy starts with empty caches. Until they are warm, for three to eight minutes, its service is slower and asks several times as much
 * of what lies behind it. It did so at the deploy before, in the history, and then was well; so it is now. Beyer et al., "Site
 * Reliability Engineering", ch. 22 (slow start-up and cold caching); Slack, "Slack's Incident on 2-22-22", for the bad end of it.
 */
export const coldCache: Family = {
  name: "cold-cache",
  faulty: false,
  wishes: { historyMinutes: [130, 190], watchMinutes: [40, 60], crowd: [0, 2] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(
      stage
        .busy()
        .filter(({ cached, name }) => cached && stage.calleesOf(name).some(({ tier }) => tier !== "external")),
    );
    const [cacheMiss, latencyFactor] = [draw.uniform(0.5, 1), draw.uniform(1.4, 3)];
    const [warm, fadeMs] = [draw.uniform(4, 8) * MINUTE, draw.uniform(1.2, 2.5) * MINUTE];
    const before = clock.historyStart + draw.uniform(10, 50) * MINUTE;
    const rolloutMs = draw.uniform(0.5, 1.5) * MINUTE;
    const told = [before, stage.moment].map((at) => {
      const change = stage.change("deploy", service, at, { rolloutMs });
      const from = change.shares[0]?.at ?? change.startedAt;
      return {
        change,
        fault: {
          because: change.id,
          service: service.name,
          from,
          to: from + warm,
          withVersion: true,
          fadeMs,
          cacheMiss,
          latencyFactor,
          signature: "cache miss storm: {n} keys loaded from origin in {ms}ms",
        },
      };
    });
    return {
      why: "the cache is cold after each deploy, and warm again some minutes later, as it was the last time",
      changes: told.map(({ change }) => change),
      quietFor: 3 * HOUR,
      faults: told.map(({ fault }) => fault),
    };
  },
};
