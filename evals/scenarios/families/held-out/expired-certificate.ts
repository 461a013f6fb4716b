import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * The certificate of an internal service expires. New connections to it fail at their callers, old ones live until they are recycled; the
 * service itself is healthy and sees its traffic vanish. Meanwhile one of its callers was just deployed. Epic Games, "Expiration Date
 * 4-6-2021": 12 minutes to detect, most of an hour to renew, and later troubles of their own; connections are recycled within
 * seconds to some minutes (gRPC's and Envoy's `max_connection_age`/`max_connection_duration`).
 */
export const expiredCertificate: Family = {
  name: "expired-certificate",
  faulty: false,
  wishes: { crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    // Who writes to a queue connects to the broker, not to the reader.
    const connected = system.calls.filter(({ queue, perRequest }) => !queue && perRequest > 0.1);
    const callersOf = (name: string) => connected.filter(({ callee }) => callee === name).map(({ caller }) => caller);
    const callee = draw.pick(stage.busy().filter(({ name }) => callersOf(name).length > 1));
    const [caller, ...others] = draw.shuffle(callersOf(callee.name)).map(stage.service);
    if (caller === undefined) throw new RangeError("nobody calls it");
    const end = draw.chance(0.6) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(14, 30) * MINUTE;
    return {
      why: `the certificate of ${callee.name} expired; no change did it and none that is undone renews it`,
      changes: [stage.change("deploy", caller, stage.moment - draw.uniform(0.5, 6) * MINUTE)],
      quiet: others.map(({ name }) => name),
      faults: [
        outside(callee, stage.moment, end, {
          refused: draw.uniform(0.85, 1),
          rampMs: draw.uniform(0.2, 4) * MINUTE,
          signature: "x509: certificate has expired or is not yet valid",
        }),
      ],
    };
  },
};
