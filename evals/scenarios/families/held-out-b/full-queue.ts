import type { Family } from "../../family.ts";
import { rateAt } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A reader's new version, or a flag in it, takes one message at a time and waits for its acknowledgement. It is idle, fast and free of
 * errors, and takes fewer messages than are sent. The queue grows for 8 to 20 minutes and is full; from then on those who write to
 * it fail, whom nobody changed. Slack Engineering, "Scaling Slack's Job Queue" (2017): jobs were taken out more slowly than they were put in,
 * until the memory was full and nothing could be enqueued. RabbitMQ documentation, "Consumer Prefetch" and `x-max-length`.
 */
export const fullQueue: Family = {
  name: "full-queue",
  faulty: true,
  wishes: { services: [7, 35], queue: true, watchMinutes: [55, 75], crowd: [1, 3] },
  plot: (stage) => {
    const { draw, system } = stage;
    const queues = system.calls.filter(({ queue }) => queue);
    const { callee } = draw.pick(
      queues.filter(
        ({ caller, callee, perRequest, fallback }) =>
          perRequest > 0.2 &&
          fallback < 0.6 &&
          stage.service(caller).expectedRate > 4 &&
          stage.service(callee).expectedRate > 4,
      ),
    );
    const reader = stage.service(callee);
    const writers = queues.filter((call) => call.callee === callee);
    const sent = writers.reduce(
      (sum, { caller, perRequest }) => sum + rateAt(stage, stage.service(caller), stage.moment) * perRequest,
      0,
    );
    const takesAtMost = sent * draw.uniform(0.4, 0.8);
    const change = stage.change(draw.chance(0.65) ? "deploy" : "flag", reader, stage.moment);
    return {
      why: "the reader takes fewer messages than are sent since the change; the full queue affects those who write to it",
      changes: [change],
      quiet: writers.map(({ caller }) => caller),
      faults: [
        {
          because: change.id,
          service: callee,
          from: change.startedAt,
          to: Number.POSITIVE_INFINITY,
          withVersion: change.kind === "deploy",
          takesAtMost,
          queueLimit: Math.ceil(((sent - takesAtMost) * draw.uniform(8, 20) * MINUTE) / 1000),
          signature: "prefetch=1: waited {ms}ms for ack of {id} before the next delivery",
          main: true,
        },
      ],
    };
  },
};
