import type { Family } from "../../family.ts";
import { linesOf, outside, rateAt } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Traffic grows, and with it the calls to a vendor, who serves only so many a second and refuses the rest. Nothing of ours is saturated or
 * changed; the errors grow with the traffic alone. A caller of the vendor was deployed some minutes before. Stripe documentation, "Rate
 * limits" (429 beyond a fixed rate); Docker, "Scaling Docker to Serve Millions More Developers: Network Egress" (2020), for a limit
 * that many ran into. The allowance is 12 to 30 % above what was usual, the traffic grows by 40 to 100 %.
 */
export const vendorThrottles: Family = {
  name: "vendor-throttles",
  faulty: false,
  wishes: { external: true, utilisation: [0.15, 0.35], crowd: [1, 4] },
  plot: (stage) => {
    const { draw, clock, system } = stage;
    const call = draw.pick(
      system.calls.filter(
        ({ caller, callee, perRequest, fallback }) =>
          stage.service(callee).tier === "external" &&
          perRequest > 0.15 &&
          fallback < 0.6 &&
          stage.service(caller).expectedRate > 4,
      ),
    );
    const vendor = stage.service(call.callee);
    const [above, growth] = [draw.uniform(1.12, 1.3), draw.uniform(1.4, 2)];
    const rampMs = draw.uniform(5, 14) * MINUTE;
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + rampMs + draw.uniform(10, 25) * MINUTE;
    const reached = stage.moment + (rampMs * (above - 1)) / (growth - 1);
    return {
      why: `more traffic needs more of ${vendor.name} than it grants; no change of ours made it`,
      changes: [stage.change("deploy", stage.service(call.caller), stage.moment - draw.uniform(3, 14) * MINUTE)],
      quiet: stage.callersOf(vendor.name).map(({ name }) => name),
      lines: linesOf(draw, call.caller, { from: reached + MINUTE, to: Math.min(end, clock.watchEnd) }, 5, {
        level: "error",
        messages: [
          `${vendor.name} answered 429, x-ratelimit-remaining: 0, retry-after: {n} request={id}`,
          `${vendor.name} answered 429 rate_limit_exceeded for key live_{hex}`,
        ],
      }),
      faults: [
        ...system.services
          .filter(({ tier }) => tier === "entry")
          .map((entry) => outside(entry, stage.moment, end, { rampMs, loadFactor: growth })),
        outside(vendor, clock.historyStart - 60 * MINUTE, Number.POSITIVE_INFINITY, {
          quota: rateAt(stage, vendor, stage.moment) * above,
        }),
      ],
    };
  },
};
