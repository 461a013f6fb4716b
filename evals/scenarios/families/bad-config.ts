import type { Family } from "../family.ts";
import { failing, slow } from "../stories.ts";

/** A configuration push breaks a service: a wrong limit, a wrong address. 31 % of Google's outages began so (SRE Workbook, table C-1). */
export const badConfig: Family = {
  name: "bad-config",
  faulty: true,
  wishes: { crowd: [1, 5] },
  plot: (stage) => {
    const { draw } = stage;
    const config = stage.change("config", draw.pick(stage.busy()), stage.moment);
    const fault = draw.chance(0.6)
      ? failing(draw, config, { signature: "dial tcp: lookup backend.internal: no such host id={id}" })
      : slow(draw, config, { signature: "pool exhausted: waited {ms}ms for one of 2 connections id={id}" });
    return { why: "the pushed value is wrong; the previous one worked", changes: [config], faults: [fault] };
  },
};
