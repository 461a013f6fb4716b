import type { Family } from "../../family.ts";
import { Z99 } from "../../world/slot.ts";

/**
 * A pushed configuration gives a caller a timeout that a good part of the answers exceed, and more attempts. The retries multiply the load
 * on the callee, which gets slower, which makes more retries: the symptom is louder at the callee, where nothing was changed.
 * Brooker, "Timeouts, retries, and backoff with jitter" (Amazon Builders' Library), sets a timeout where false ones are rare, such as the
 * callee's p99.9; Huang et al., "Metastable Failures in the Wild" (OSDI 2022), find retries to sustain half of the outages they study.
 * Here the timeout lies between the 40th and the 88th percentile of the callee's own work; three to five attempts.
 */
export const timeoutRetries: Family = {
  name: "timeout-retries",
  faulty: true,
  wishes: { crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const { caller, callee } = draw.pick(
      system.calls.filter(
        ({ caller, callee, queue, perRequest, fallback }) =>
          !queue &&
          busy.has(caller) &&
          busy.has(callee) &&
          perRequest > 0.3 &&
          fallback < 0.5 &&
          stage.service(callee).utilisation > 0.35,
      ),
    );
    const { ownMedianMs, tail } = stage.service(callee);
    const p99 = ownMedianMs * Math.exp(Z99 * tail);
    const timeoutMs = Math.max(2, Math.round(ownMedianMs * (p99 / ownMedianMs) ** draw.uniform(-0.1, 0.5)));
    const config = stage.change("config", stage.service(caller), stage.moment);
    return {
      why: "the pushed timeout is shorter than ordinary answers; the callee only suffers from the retries",
      changes: [config],
      quiet: [callee],
      faults: [
        {
          because: config.id,
          service: caller,
          from: config.startedAt,
          to: Number.POSITIVE_INFINITY,
          calling: { callee, timeoutMs, attempts: draw.integer(3, 5) },
          signature: `context deadline exceeded calling ${callee}, no attempt left id={id}`,
          main: true,
        },
      ],
    };
  },
};
