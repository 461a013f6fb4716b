import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Caller and callee are deployed in the same minute. The caller's version asks the callee many times for what was one call, and the callee
 * saturates: the loud one was just deployed and is innocent, and what gives the caller away is that the callee's traffic grew while
 * nobody else's did. Smith and Williams, "Software Performance AntiPatterns" (WOSP 2000), name it the circuitous treasure hunt; loops over
 * the items of a page make up to 20 calls of one.
 */
export const chattyCaller: Family = {
  name: "chatty-caller",
  faulty: true,
  wishes: { crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const pairs = system.calls.filter(
      ({ caller, callee, queue, perRequest }) => !queue && busy.has(caller) && busy.has(callee) && perRequest > 0.2,
    );
    const { caller, callee, perRequest } = draw.pick(pairs);
    const [asks, answers] = [stage.service(caller), stage.service(callee)];
    const bad = stage.change("deploy", asks, stage.moment, { rolloutMs: draw.uniform(0.8, 3) * MINUTE });
    const innocent = stage.change("deploy", answers, stage.moment + draw.uniform(-0.5, 0.5) * MINUTE, {
      rolloutMs: draw.uniform(0.8, 3) * MINUTE,
    });
    // So many more calls that the callee comes to 90 to 130 % of what it can serve.
    const extra =
      (answers.expectedRate * (draw.uniform(0.9, 1.3) / answers.utilisation - 1)) / (asks.expectedRate * perRequest);
    if (extra > 19) throw new RangeError("no version asks that often");
    return {
      why: "the caller's version calls many times for each request; the callee, deployed beside it, is sound",
      changes: [bad, innocent],
      faults: [
        {
          because: bad.id,
          service: caller,
          from: bad.startedAt,
          to: Number.POSITIVE_INFINITY,
          withVersion: true,
          calls: { callee, factor: 1 + extra },
          main: true,
        },
      ],
    };
  },
};
