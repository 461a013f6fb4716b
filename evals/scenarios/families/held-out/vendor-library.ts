import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Several services carry a vendor's library (flags, analytics, fraud scores) that no map of calls shows. Its backend goes down; for some
 * minutes cached values help, each service for as long as its own last; then requests hang in the library until it gives up. Reports:
 * Relevance AI, "API latency spike" (its flag provider's outage; caches held for an hour), PostHog, post-mortem of 28 February 2024
 * (clients hung for up to the default timeout of 10 s, 3 s since).
 */
export const vendorLibrary: Family = {
  name: "vendor-library",
  faulty: false,
  wishes: { services: [7, 35], crowd: [1, 5] },
  plot: (stage) => {
    const { draw } = stage;
    const carriers = draw.shuffle(stage.busy(1)).slice(0, draw.integer(3, 7));
    if (carriers.length < 3) throw new RangeError("too few services carry the library");
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(15, 30) * MINUTE;
    const ms = draw.pick([1000, 2000, 3000, 5000, 10_000]);
    const vendor = draw.pick(["flagcloud", "segmentation", "riskscore", "metering"]);
    return {
      why: `the vendor behind the ${vendor} library is down; no change of ours is, and every version carries it`,
      changes: [],
      faults: carriers.map((service) =>
        outside(service, stage.moment + draw.uniform(0, 3) * MINUTE, end, {
          stall: { share: draw.logUniform(0.02, 0.25), ms },
          errors: draw.chance(0.5) ? draw.logUniform(0.01, 0.1) : 0,
          rampMs: draw.uniform(0.2, 3) * MINUTE,
          signature: `${vendor}-sdk: POST https://api.${vendor}.example/v1 timed out after ${ms}ms, using default`,
        }),
      ),
    };
  },
};
