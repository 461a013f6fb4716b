import type { Family } from "../../family.ts";
import { linesOf, outside, rateAt } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A monthly run puts a message for every customer into a queue, many times what is usual, for some minutes. The reader works at its limit until it
 * has caught up; it is slower meanwhile, and what waits grows and shrinks. It was deployed some minutes before and is as good as the
 * version before. Yanacek, "Avoiding insurmountable queue backlogs" (Amazon Builders' Library): a burst makes a backlog, which
 * drains with what capacity is spare. The run brings 1.2 to 2 times what the reader can take, for 6 to 14 minutes.
 */
export const invoiceRun: Family = {
  name: "invoice-run",
  faulty: false,
  wishes: { services: [7, 35], queue: true, watchMinutes: [45, 65], crowd: [1, 3] },
  plot: (stage) => {
    const { draw, system } = stage;
    const { caller, callee, perRequest } = draw.pick(
      system.calls.filter(
        ({ caller, callee, queue, perRequest }) =>
          queue && perRequest > 0.1 && stage.service(callee).expectedRate > 3 && stage.service(caller).expectedRate > 3,
      ),
    );
    const reader = stage.service(callee);
    const usual = rateAt(stage, stage.service(caller), stage.moment) * perRequest;
    const others = Math.max(0, rateAt(stage, reader, stage.moment) - usual);
    const capacity = (0.95 * reader.expectedRate) / reader.utilisation;
    const factor = (capacity * draw.uniform(1.2, 2) - others) / usual;
    if (factor < 1.5 || factor > 60) throw new RangeError("no run is of that size");
    const end = stage.moment + draw.uniform(6, 14) * MINUTE;
    return {
      why: "a run of this day fills the queue faster than the reader can take it; it drains by itself",
      changes: [stage.change("deploy", reader, stage.moment - draw.uniform(4, 18) * MINUTE)],
      quiet: [caller],
      lines: linesOf(draw, caller, { from: stage.moment, to: end }, draw.uniform(1.5, 4), {
        level: "info",
        messages: ["monthly invoices: enqueued batch {n} of {n}{n}", "monthly invoices: {id} messages sent"],
      }),
      faults: [
        outside(caller, stage.moment, end, { rampMs: draw.uniform(0.2, 1.5) * MINUTE, calls: { callee, factor } }),
      ],
    };
  },
};
