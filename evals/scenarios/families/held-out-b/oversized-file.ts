import type { Family } from "../../family.ts";
import { sharedDatabase } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A store's permissions are changed, node by node. A file that one of its readers loads is built from a query every few minutes; built on
 * a node that has the change it has every row twice, is longer than the reader's limit, and the reader fails until the next good
 * one comes. So it fails and recovers, and fails for good when all nodes have it. The store is well all the time. Cloudflare,
 * "Cloudflare outage on November 18, 2025" (a ClickHouse grant; a file every five minutes; a limit of 200 features).
 */
export const oversizedFile: Family = {
  name: "oversized-file",
  faulty: true,
  wishes: { store: true, watchMinutes: [55, 75], crowd: [1, 3], evidence: { logs: true } },
  plot: (stage) => {
    const { draw } = stage;
    const store = sharedDatabase(stage, 2);
    const reader = draw.pick(stage.callersOf(store.name).filter(({ expectedRate }) => expectedRate >= 4));
    const config = stage.change("config", store, stage.moment, { message: "Make grants explicit" });
    const everyMs = draw.uniform(4, 6) * MINUTE;
    const first = (config.finishedAt ?? config.startedAt) + draw.uniform(0.5, 2) * MINUTE;
    // The first file is long; of the next ones more and more are, as the nodes get the change.
    const steps = Array.from({ length: 6 }, (_, file) => ({
      at: first + file * everyMs,
      share: file === 0 || draw.chance((file + 1) / 6) ? 1 : 0,
    }));
    return {
      why: `the changed grants of ${store.name} double the file that ${reader.name} loads from it; nothing was deployed`,
      changes: [config],
      quiet: [reader.name],
      faults: [
        {
          because: config.id,
          service: reader.name,
          from: first,
          to: Number.POSITIVE_INFINITY,
          steps,
          errors: draw.uniform(0.15, 0.8),
          signature: `panic: feature file from ${store.name} has 2{n} rows, limit 200, worker {id} exits`,
          main: true,
        },
      ],
    };
  },
};
