import type { Family } from "../family.ts";
import { outside } from "../stories.ts";
import { MINUTE } from "../world/model.ts";

/** An external dependency is down or slow: whoever calls it suffers, and nothing here can be rolled back. Service-provider changes: 5 % of triggers (SRE Workbook, table C-1). */
export const externalOutage: Family = {
  name: "external-outage",
  faulty: false,
  wishes: { external: true, crowd: [1, 5] },
  plot: (stage) => {
    const { draw, system } = stage;
    const external = draw.pick(
      system.services.filter(({ tier, expectedRate }) => tier === "external" && expectedRate > 1),
    );
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(8, 30) * MINUTE;
    const fault = draw.chance(0.6)
      ? outside(external, stage.moment, end, { errors: draw.uniform(0.3, 1) })
      : outside(external, stage.moment, end, { latencyFactor: draw.uniform(8, 60) });
    // With one caller only, its own late trouble would look the same.
    const [caller, ...others] = draw.shuffle(stage.callersOf(external.name));
    const innocent =
      caller !== undefined && others.length > 0 && draw.chance(0.6)
        ? [stage.change("deploy", caller, stage.moment - draw.uniform(4, 25) * MINUTE)]
        : [];
    return {
      why: `the external dependency ${external.name} fails; no change of ours does`,
      changes: innocent,
      quiet: stage.callersOf(external.name).map(({ name }) => name),
      faults: [fault],
    };
  },
};
