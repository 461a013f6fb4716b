import type { Family } from "../../family.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A configuration lowers the heap limit. As the old generation fills, the collector stops the world more often and for longer: the slowest
 * requests get far slower, the median hardly, the processor is busier. Beyer et al., "Site Reliability Engineering", ch. 22 (GC death
 * spiral); Dean and Barroso, "The Tail at Scale" (CACM 2013), on collections and the tail. Pauses of 0.2 to 2 s are those of full
 * collections of a heap of some hundred MB to a few GB.
 */
export const heapTooSmall: Family = {
  name: "heap-too-small",
  faulty: true,
  wishes: { watchMinutes: [45, 65], crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const config = stage.change("config", service, stage.moment);
    return {
      why: "the pushed heap limit makes the collector stop the service again and again; the one before did not",
      changes: [config],
      faults: [
        {
          because: config.id,
          service: service.name,
          from: (config.finishedAt ?? config.startedAt) + draw.uniform(0, 1) * MINUTE,
          to: Number.POSITIVE_INFINITY,
          rampMs: draw.uniform(8, 20) * MINUTE,
          stall: { share: draw.logUniform(0.015, 0.12), ms: Math.round(draw.logUniform(200, 2000)) },
          cpuFactor: draw.uniform(1.1, 1.5),
          signature: "GC(full) pause of {ms}ms, heap 97% after collection id={id}",
          main: true,
        },
      ],
    };
  },
};
