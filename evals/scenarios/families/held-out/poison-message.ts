import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * Somebody replays a dead-letter queue, and in it is a message that no version of the reader could ever digest. It is delivered again and
 * again; the reader fails on it, its other messages wait behind it. The service that writes to the queue was deployed in the hour
 * before. Nothing that a rollback restores helps: the message must go. Yanacek, "Avoiding insurmountable queue backlogs" (Amazon
 * Builders' Library); Amazon SQS developer guide, `maxReceiveCount`. Half to nine tenths of the throughput is lost to redeliveries.
 */
export const poisonMessage: Family = {
  name: "poison-message",
  faulty: false,
  wishes: { services: [8, 35], queue: true, crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const { caller, callee } = draw.pick(
      system.calls.filter(({ callee, queue }) => queue && stage.service(callee).expectedRate > 3),
    );
    const reader = stage.service(callee);
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(12, 30) * MINUTE;
    const left = draw.uniform(0.1, 0.5) * reader.utilisation;
    return {
      why: "a replayed message blocks the reader until it is taken out of the queue; every version fails on it",
      changes: [stage.change("deploy", stage.service(caller), stage.moment - draw.uniform(25, 55) * MINUTE)],
      faults: [
        outside(reader, stage.moment, end, {
          errors: draw.uniform(0.08, 0.5),
          capacityFactor: left,
          signature: "redelivery {n} of message 7f3a-{hex}: handler failed, returning it to the queue",
        }),
      ],
    };
  },
};
