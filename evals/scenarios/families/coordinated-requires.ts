import type { Family } from "../family.ts";
import { callerAndCallee, failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** A callee's new version is bad, and a caller's new version cannot serve without it: both must go back. */
export const coordinatedRequires: Family = {
  name: "coordinated-requires",
  faulty: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const bad = stage.change("deploy", callee, stage.moment, {
      provides: { api: "v2" },
      rolloutMs: draw.uniform(0.7, 2) * MINUTE,
    });
    const after = (bad.finishedAt ?? bad.startedAt) + draw.uniform(0.2, 3) * MINUTE;
    const bound = stage.change("deploy", caller, after, {
      requires: { [callee.name]: bad.id },
      rolloutMs: draw.uniform(0.7, 2) * MINUTE,
    });
    const fault = draw.chance(0.7) ? failing(draw, bad) : slow(draw, bad);
    return {
      why: "the callee is to blame; its caller's new version needs it and must go back with it",
      changes: [bad, bound],
      faults: [fault],
    };
  },
};
