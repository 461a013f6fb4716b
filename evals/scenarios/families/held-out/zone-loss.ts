import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * One of three zones loses power. A third of the pods of most services is gone: requests to them fail until the load balancers have
 * noticed, what is left carries half as much again, and new pods come up elsewhere over ten to twenty minutes. AWS, summaries of the
 * events in use1-az4 (22 December 2021) and Tokyo (23 August 2019); three zones is what the vendors recommend; health checks take
 * two to three failures of 10 s.
 */
export const zoneLoss: Family = {
  name: "zone-loss",
  faulty: false,
  wishes: { services: [8, 35], crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const hosted = system.services.filter(({ tier }) => tier !== "external");
    const hit = draw.shuffle(hosted).slice(0, Math.max(4, Math.round(hosted.length * draw.uniform(0.5, 0.9))));
    const noticed = stage.moment + draw.uniform(20, 90) * 1000;
    const back = stage.moment + draw.uniform(10, 20) * MINUTE;
    return {
      why: "a zone is gone and its pods come up in the others; undoing a change would bring none of them back",
      changes: [],
      faults: hit.flatMap((service) => {
        const lost = draw.uniform(0.25, 0.42);
        const signature = "dial tcp: connect: no route to host id={id}";
        return [
          outside(service, stage.moment, noticed, { errors: lost * draw.uniform(0.5, 0.9), signature }),
          outside(service, stage.moment, back, { unready: lost, capacityFactor: 1 - lost }),
        ];
      }),
    };
  },
};
