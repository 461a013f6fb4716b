import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A canary writes entries that the version beside it cannot read. The canary itself is well, it reads both kinds; the old pods fail, more
 * and more as the entries of the canary spread, and nobody's comparison of the two finds the new one worse. Taking it back ends
 * it. SEC, order against Knight Capital (34-70694, 2013): the new code in seven servers met the old code in the eighth; Pokkunuri,
 * "Ensuring rollback safety during deployments" (Amazon Builders' Library). A canary of 10 to 30 %; entries are read for minutes.
 */
export const mixedSessions: Family = {
  name: "mixed-sessions",
  faulty: true,
  wishes: { crowd: [1, 4], watchMinutes: [40, 60], evidence: { logs: true } },
  plot: (stage) => {
    const { draw } = stage;
    const change = stage.change("deploy", draw.pick(stage.busy(10)), stage.moment, {
      canary: draw.pick([0.1, 0.15, 0.2, 0.25, 0.3]),
    });
    return {
      why: "what the canary writes cannot be read by the version beside it; without the canary nobody writes it",
      changes: [change],
      faults: [
        {
          because: change.id,
          service: change.service,
          from: change.shares[0]?.at ?? change.startedAt,
          to: Number.POSITIVE_INFINITY,
          fixedBy: change.id,
          rampMs: draw.uniform(1, 6) * MINUTE,
          errors: draw.logUniform(0.04, 0.3),
          signature: "cannot decode session {hex}: written by a newer version, unknown field 7",
          main: true,
        },
      ],
    };
  },
};
