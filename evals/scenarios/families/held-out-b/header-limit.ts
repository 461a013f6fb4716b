import type { Family } from "../../family.ts";
import { MINUTE, SECOND } from "../../world/model.ts";

/**
 * A configuration of an entry lowers the size that a request's headers may have. Users with many cookies get an error at the door; nothing
 * behind it is asked for them, so that what lies there sees a little less traffic and no error at all. nginx documentation,
 * `large_client_header_buffers` (four of 8 kB by default, error 400 beyond); RFC 6585 section 5, status 431. Cookies grow with
 * the time that somebody has been a customer: 2 to 20 % of the requests.
 */
export const headerLimit: Family = {
  name: "header-limit",
  faulty: true,
  wishes: { crowd: [1, 5] },
  plot: (stage) => {
    const { draw } = stage;
    const entry = draw.pick(stage.busy().filter(({ tier }) => tier === "entry"));
    const config = stage.change("config", entry, stage.moment);
    const behind = draw.pick(stage.calleesOf(entry.name).filter(({ tier }) => tier !== "external" && tier !== "store"));
    return {
      why: "the pushed limit refuses requests with large headers, which were served before",
      changes: [
        config,
        ...(draw.chance(0.6) ? [stage.change("deploy", behind, stage.moment + draw.uniform(-5, 2) * MINUTE)] : []),
      ],
      faults: [
        {
          because: config.id,
          service: entry.name,
          from: (config.finishedAt ?? config.startedAt) + draw.uniform(0, 20) * SECOND,
          to: Number.POSITIVE_INFINITY,
          turnedAway: draw.logUniform(0.02, 0.2),
          signature: "client sent too large header: {n}{n} bytes of cookies, 431 returned id={id}",
          main: true,
        },
      ],
    };
  },
};
