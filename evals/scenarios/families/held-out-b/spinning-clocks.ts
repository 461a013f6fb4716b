import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE, type ServiceModel } from "../../world/model.ts";
import { season } from "../../world/wander.ts";

/**
 * The clocks of the nodes step, and the kernel's timers fire at once again and again: services that have nothing in common spin from the same
 * second on. Their processors are busy with nothing, requests get slower and are shed. One of them was deployed minutes before, another
 * one is deployed into it, and a restart helps neither: the clock has to be set. Stultz, "Potential fix for leapsecond caused futex
 * related load spikes" (linux-kernel, July 2012); Mozilla, bug 769972. What is left of the processor is used to three quarters and
 * more.
 */
export const spinningClocks: Family = {
  name: "spinning-clocks",
  faulty: false,
  wishes: { services: [8, 35], crowd: [0, 3] },
  plot: (stage) => {
    const { draw } = stage;
    const hosts = draw.shuffle(stage.busy(1));
    const hit = hosts.slice(0, Math.max(4, Math.round(hosts.length * draw.uniform(0.4, 0.9))));
    const busyness = (service: ServiceModel) => service.utilisation * season(stage.system.traffic, stage.moment);
    const [before, into] = hit;
    if (before === undefined || into === undefined || hit.length < 4) throw new RangeError("too few services spin");
    const end = draw.chance(0.5) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(12, 28) * MINUTE;
    return {
      why: "the kernels of the nodes spin since their clocks stepped; no deploy did it, and a restart does not end it",
      changes: [
        stage.change("deploy", before, stage.moment - draw.uniform(1, 5) * MINUTE),
        stage.change("deploy", into, stage.moment + draw.uniform(3, 9) * MINUTE),
      ],
      faults: hit.map((service) =>
        outside(service, stage.moment, end, {
          capacityFactor: Math.min(0.9, busyness(service) / draw.uniform(0.75, 1.02)),
          latencyFactor: draw.uniform(1.1, 1.7),
          signature: "timer of {n}ms fired after 0ms, {id} wake-ups in the last second",
        }),
      ),
    };
  },
};
