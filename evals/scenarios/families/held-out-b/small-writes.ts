import type { Family } from "../../family.ts";

/**
 * A new version's client library leaves Nagle's algorithm on and writes a request in two small pieces: the second one waits for an
 * acknowledgement that the other side delays. Nothing fails, the processor idles, and a part of the requests takes exactly one or
 * some such delays longer. Brooker, "It's always TCP_NODELAY. Every damn time." (2024); Linux delays acknowledgements by up to 40 ms
 * (tcp(7), TCP_QUICKACK), others by 200 ms (RFC 1122, 4.2.3.2, allows 500). A fifth to two fifths of the requests are so written.
 */
export const smallWrites: Family = {
  name: "small-writes",
  faulty: true,
  wishes: { crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const slowest = ({ ownMedianMs, tail }: { readonly ownMedianMs: number; readonly tail: number }) =>
      ownMedianMs * Math.exp(2.326 * tail);
    const quick = stage
      .busy()
      .filter(
        (service) =>
          slowest(service) < 80 &&
          system.calls.every(({ caller, callee }) => caller !== service.name || slowest(stage.service(callee)) < 120),
      );
    const change = stage.change("deploy", draw.pick(quick), stage.moment);
    return {
      why: "the new version's small writes wait for delayed acknowledgements; nothing else is wrong with it",
      changes: [change],
      faults: [
        {
          because: change.id,
          service: change.service,
          from: change.startedAt,
          to: Number.POSITIVE_INFINITY,
          withVersion: true,
          stall: {
            share: draw.uniform(0.18, 0.4),
            ms: draw.chance(0.75) ? 40 * draw.integer(1, 4) : 200 * draw.integer(1, 2),
          },
          signature: "flushed 2 segments of request {id}, second after {ms}ms",
          main: true,
        },
      ],
    };
  },
};
