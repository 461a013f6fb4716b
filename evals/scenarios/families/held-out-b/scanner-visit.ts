import type { Family } from "../../family.ts";
import { linesOf, outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Somebody scans an entry for known holes. Nearly all of the requests get an error at the door, as they should: the error rate jumps with the
 * traffic, no user is hurt, nothing behind the entry sees it. The entry, or what it calls, was deployed some minutes before. Cloudflare,
 * "Exploitation of Log4j CVE-2021-44228 before public disclosure and evolution of evasion and exfiltration" (2021): waves of probes against
 * every site. A scan adds a tenth to a half of the usual traffic and takes minutes to hours.
 */
export const scannerVisit: Family = {
  name: "scanner-visit",
  faulty: false,
  wishes: { crowd: [1, 4], evidence: { logs: true } },
  plot: (stage) => {
    const { draw, clock } = stage;
    const entry = draw.pick(stage.busy().filter(({ tier }) => tier === "entry"));
    const behind = draw.pick(stage.calleesOf(entry.name).filter(({ tier }) => tier !== "external" && tier !== "store"));
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(10, 30) * MINUTE;
    const extra = draw.logUniform(0.1, 0.5);
    const span = { from: stage.moment, to: Math.min(end, clock.watchEnd) };
    return {
      why: "a scanner asks for what does not exist and is refused; every other request is served as before",
      changes: [stage.change("deploy", draw.pick([entry, behind]), stage.moment - draw.uniform(5, 18) * MINUTE)],
      quiet: [entry.name],
      lines: linesOf(draw, entry.name, span, draw.uniform(4, 10), {
        level: "warn",
        messages: [
          "GET /wp-login.php 404 from 203.0.113.{n} ua=zgrab/0.x",
          "GET /.env 404 from 203.0.113.{n} ua=zgrab/0.x",
          "GET /cgi-bin/luci 404 from 198.51.100.{n} ua=masscan/1.3",
          "POST /api/jsonws/invoke 404 from 203.0.113.{n} ua=zgrab/0.x",
        ],
      }),
      faults: [
        outside(entry, stage.moment, end, {
          rampMs: draw.uniform(0.2, 2) * MINUTE,
          loadFactor: 1 + extra,
          turnedAway: (extra / (1 + extra)) * draw.uniform(0.85, 1),
        }),
      ],
    };
  },
};
