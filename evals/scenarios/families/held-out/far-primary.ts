import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE, SECOND } from "../../world/model.ts";

/**
 * A store's primary is lost for seconds and another one, in a region far away, takes over. After a short burst of errors every query crosses
 * the continent, for hours: it lasts, it was no change, and a deploy of one of its callers stands beside it. GitHub, "October 21
 * post-incident analysis" (2018): 43 s without a network, then primaries on the other coast for most of a day, 60 ms away.
 */
export const farPrimary: Family = {
  name: "far-primary",
  faulty: false,
  wishes: { store: true, crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const store = draw.pick(
      system.services.filter(
        ({ tier, name, expectedRate }) =>
          tier === "store" && name.endsWith("-db") && expectedRate > 2 && stage.callersOf(name).length > 1,
      ),
    );
    const gone = draw.uniform(20, 70) * SECOND;
    const caller = draw.pick(stage.callersOf(store.name));
    return {
      why: "the store failed over to a region far away and answers from there; people must bring it back",
      changes: draw.chance(0.6) ? [stage.change("deploy", caller, stage.moment - draw.uniform(3, 20) * MINUTE)] : [],
      quiet: stage.callersOf(store.name).map(({ name }) => name),
      faults: [
        outside(store, stage.moment, stage.moment + gone, {
          errors: draw.uniform(0.4, 0.95),
          signature: "cannot execute statement: not primary, retry later id={id}",
        }),
        outside(store, stage.moment + gone, Number.POSITIVE_INFINITY, {
          addedMs: draw.uniform(25, 80),
          signature: "commit took {ms}ms, replica acknowledged from eu-far-2",
        }),
      ],
    };
  },
};
