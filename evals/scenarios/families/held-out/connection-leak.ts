import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A new version opens a database connection on some path and never closes it. The store's open connections grow for ten to twenty
 * minutes; at its limit it refuses everybody, the services that did nothing wrong too. PostgreSQL documentation, `max_connections`
 * (default 100; hundreds with a pooler) and its error 53300; GitHub, "An update on recent service disruptions" (March 2022), for one
 * cluster's connections running out for several services at once.
 */
export const connectionLeak: Family = {
  name: "connection-leak",
  faulty: true,
  wishes: { store: true, watchMinutes: [50, 70], crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const pairs = system.calls.filter(
      ({ caller, callee, perRequest }) =>
        busy.has(caller) && perRequest > 0.1 && callee.endsWith("-db") && stage.callersOf(callee).length > 1,
    );
    const { caller, callee } = draw.pick(pairs);
    const change = stage.change("deploy", stage.service(caller), stage.moment, {
      rolloutMs: draw.uniform(1, 3) * MINUTE,
    });
    const begun = change.shares[0]?.at ?? change.startedAt;
    const full = begun + draw.uniform(9, 20) * MINUTE;
    const limit = draw.pick([100, 200, 300, 500]);
    const leak = { because: change.id, service: callee, from: begun };
    return {
      why: "the new version leaks connections to the shared store; the store and its other callers only suffer",
      changes: [change],
      quiet: [callee],
      faults: [
        { ...leak, to: full, leftOpenPerHour: limit / ((full - begun) / (60 * MINUTE)) },
        {
          ...leak,
          from: full,
          to: Number.POSITIVE_INFINITY,
          rampMs: draw.uniform(1, 5) * MINUTE,
          errors: draw.uniform(0.1, 0.7),
          signature: "FATAL: sorry, too many clients already (limit reached) id={id}",
          main: true,
        },
      ],
    };
  },
};
