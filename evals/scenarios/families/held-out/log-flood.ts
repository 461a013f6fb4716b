import type { Family } from "../../family.ts";
import { failing } from "../../stories.ts";
import { type FixedLine, HOUR, MINUTE } from "../../world/model.ts";

/**
 * A deploy leaves a debug level on. All is well for one to two and a half hours, but for the log; then the disk is full, and what writes to
 * it fails. Later changes of other services lie nearer to the trouble. Kubernetes documentation, "Node-pressure Eviction": pods are
 * evicted when a tenth of the disk is left (`nodefs.available`), here some of them. A container's usual 10 to 50 GB at 1 to 10 MB a
 * second of debug output last one to a few hours.
 */
export const logFlood: Family = {
  name: "log-flood",
  faulty: true,
  wishes: { historyMinutes: [190, 240], crowd: [1, 4], changesPerDay: [0.2, 0.8], evidence: { logs: true } },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const change = stage.change("deploy", service, stage.moment - draw.uniform(60, 150) * MINUTE);
    const every = MINUTE / draw.uniform(4, 9);
    const lines: FixedLine[] = [];
    for (let at = change.startedAt + 30_000; at < clock.watchEnd; at += draw.exponential(every))
      lines.push({
        at,
        service: service.name,
        level: "debug",
        message: draw.pick([
          "dump of request {id}: headers={n} bytes={id} body={hex}{hex}",
          "enter Handler.apply args={hex} thread={n}",
          "wire >> {hex} ({n} bytes)",
        ]),
      });
    const full = failing(draw, change, {
      from: stage.moment,
      rampMs: draw.uniform(0.5, 4) * MINUTE,
      errors: draw.logUniform(0.08, 0.6),
      unready: draw.uniform(0, 0.3),
      signature: "write /var/log/app.log: no space left on device id={id}",
    });
    return {
      why: "the version fills its disk with debug output; it failed when nothing was left",
      changes: [change],
      quietFor: 4 * HOUR,
      lines,
      faults: [full],
    };
  },
};
