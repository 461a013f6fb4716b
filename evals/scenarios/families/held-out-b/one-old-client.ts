import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A new version no longer takes what one of its callers still sends: an old protocol, an old header. That caller's requests are refused, those of
 * all others are served as ever, so that most of the traffic says that the deploy is well. The caller may have been deployed some
 * minutes before. AWS Security Blog, "TLS 1.2 to become the minimum TLS protocol level for all AWS API endpoints" (2022), for who is
 * left behind; Winters, Manshreck and Wright, "Software Engineering at Google", ch. 1 (Hyrum's law). Half to all of its requests.
 */
export const oneOldClient: Family = {
  name: "one-old-client",
  faulty: true,
  wishes: { services: [8, 35], crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const calls = system.calls.filter(
      ({ caller, callee, queue, perRequest }) => !queue && busy.has(callee) && busy.has(caller) && perRequest > 0.05,
    );
    const old = draw.pick(
      calls.filter(
        ({ callee, perRequest, fallback }) =>
          perRequest > 0.25 && fallback < 0.6 && calls.filter((other) => other.callee === callee).length > 1,
      ),
    );
    const change = stage.change("deploy", stage.service(old.callee), stage.moment, {
      rolloutMs: draw.uniform(1, 5) * MINUTE,
    });
    const before = draw.chance(0.5)
      ? [stage.change("deploy", stage.service(old.caller), stage.moment - draw.uniform(6, 15) * MINUTE)]
      : [];
    return {
      why: `the new version refuses what ${old.caller} sends; the version before served it`,
      changes: [change, ...before],
      quiet: [old.caller],
      faults: [
        {
          because: change.id,
          service: old.callee,
          from: change.startedAt,
          to: Number.POSITIVE_INFINITY,
          withVersion: true,
          rejects: { caller: old.caller, share: draw.uniform(0.5, 1) },
          signature: `handshake with ${old.caller} failed: client offers no supported protocol version id={id}`,
          main: true,
        },
      ],
    };
  },
};
