import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";
import { season } from "../../world/wander.ts";

/**
 * A pushed configuration makes a caller close its connections after each request. Every call now begins with a handshake or two: the
 * caller gets slower by some round trips, and the callee's processor signs for each of them, though it is asked for no more than before.
 * Nothing fails. Cloudflare blog, "Keepalives considered harmful" (2020), for what reuse is worth; RFC 8446, one
 * round trip for TLS after one for TCP. Round trips of 1 to 20 ms between zones and regions; a third to nine tenths more work.
 */
export const handshakeEachCall: Family = {
  name: "handshake-each-call",
  faulty: true,
  wishes: { crowd: [1, 4], utilisation: [0.2, 0.4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const { caller, callee, perRequest } = draw.pick(
      system.calls.filter(
        ({ caller, callee, queue, perRequest }) =>
          !queue &&
          busy.has(caller) &&
          busy.has(callee) &&
          perRequest > 0.4 &&
          stage.service(caller).ownMedianMs < 25 &&
          stage.callersOf(callee).length < 3,
      ),
    );
    const asked = stage.service(callee);
    const config = stage.change("config", stage.service(caller), stage.moment);
    // The callee gets busier, and stays well below what it can serve.
    const spare = 0.75 / (asked.utilisation * season(system.traffic, stage.moment));
    const push = { because: config.id, from: config.finishedAt ?? config.startedAt, to: Number.POSITIVE_INFINITY };
    const rampMs = draw.uniform(0.2, 1.5) * MINUTE;
    return {
      why: "with the pushed setting each call opens a connection of its own; the callee is sound and only under more load",
      changes: [config],
      quiet: [callee],
      faults: [
        {
          ...push,
          service: caller,
          rampMs,
          addedMs: Math.min(1.5, perRequest) * draw.logUniform(6, 50),
          signature: `opened connection to ${callee} in {ms}ms, closed after 1 request`,
          main: true,
        },
        { ...push, service: callee, rampMs, cpuFactor: Math.max(1, Math.min(spare, draw.uniform(1.3, 1.9))) },
      ],
    };
  },
};
