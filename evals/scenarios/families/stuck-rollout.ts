import type { Family } from "../family.ts";
import { MINUTE } from "../world/model.ts";

/**
 * The first pods of a new version never become ready. The old version goes on serving, so no request suffers, but the
 * rollout neither ends nor can it (`progressDeadlineSeconds` is 10 minutes by default: Kubernetes API reference, Deployment v1).
 */
export const stuckRollout: Family = {
  name: "stuck-rollout",
  faulty: true,
  wishes: { watchMinutes: [40, 60] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const change = stage.change("deploy", service, stage.moment, { stuckAt: 0 });
    const unready = {
      because: change.id,
      service: service.name,
      from: change.startedAt + draw.uniform(10, 40) * 1000,
      to: Number.POSITIVE_INFINITY,
      rampMs: draw.uniform(0, 0.5) * MINUTE,
      unready: draw.uniform(0.25, 0.5),
      signature: "readiness check failed: dependency handshake refused id={id}",
      main: true,
    };
    return { why: "the new version's pods never become ready and never will", changes: [change], faults: [unready] };
  },
};
