import type { Family } from "../family.ts";
import { callerAndCallee, failing, slow } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/**
 * A callee's new version is bad, and its caller's new version, sometimes a third one's too, cannot serve without it: all must go back.
 * The trouble begins when all of them are out (a pool of the callee runs dry, a cache of it expires), so that whoever decides
 * then can know the whole set.
 */
export const coordinatedRequires: Family = {
  name: "coordinated-requires",
  faulty: true,
  together: true,
  plot: (stage) => {
    const { draw } = stage;
    const { caller, callee } = callerAndCallee(stage);
    const quick = () => ({ rolloutMs: draw.uniform(0.7, 1.5) * MINUTE });
    const bad = stage.change("deploy", callee, stage.moment, { provides: { api: "v2" }, ...quick() });
    const bound = [
      stage.change("deploy", caller, after(bad, draw.uniform(0.3, 2)), {
        requires: { [callee.name]: bad.id },
        ...quick(),
      }),
    ];
    const [above] = stage.callersOf(caller.name).filter(({ name }) => name !== callee.name);
    const second = bound[0];
    if (above !== undefined && second !== undefined && draw.chance(0.35))
      bound.push(
        stage.change("deploy", above, after(second, draw.uniform(0.3, 1)), {
          requires: { [caller.name]: second.id },
          ...quick(),
        }),
      );
    const due = { from: after(bound.at(-1) ?? bad, draw.uniform(0.2, 3)) };
    const fault = draw.chance(0.7) ? failing(draw, bad, due) : slow(draw, bad, due);
    return {
      why: "the callee is the culprit; the new versions above it need it and must be rolled back with it",
      changes: [bad, ...bound],
      faults: [fault],
    };
  },
};

const after = (change: { readonly startedAt: number; readonly finishedAt: number | null }, minutes: number) =>
  (change.finishedAt ?? change.startedAt) + minutes * MINUTE;
