import type { Family } from "../../family.ts";
import { busyApartFrom } from "../../fleet-stories.ts";
import { failing, outside, slow } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A node is lost, and its pods find no place elsewhere: some pods of several services stay unready for as long as anybody
 * looks (a pod stays Pending where no node has room for its requests; Kubernetes' scheduler retries for ever). Meanwhile a service
 * that nothing joins to them, all of whose own pods are ready, gets a bad deploy.
 */
export const lostNodeBeside: Family = {
  name: "lost-node-beside",
  faulty: true,
  wishes: { islands: 2, services: [5, 14] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy());
    const hosted = draw.shuffle(busyApartFrom(stage, service.name, 0.5)).slice(0, draw.integer(2, 4));
    if (hosted.length < 2) throw new RangeError("too few services elsewhere");
    const bad = stage.change("deploy", service, stage.moment);
    const lostAt = stage.moment - draw.uniform(1, 10) * MINUTE;
    const noticed = lostAt + draw.uniform(35, 60) * 1000;
    const lost = hosted.flatMap((other) => {
      const share = Math.min(0.5, draw.integer(1, 2) / other.pods);
      return [
        outside(other, lostAt, noticed, { errors: share * 0.9, signature: "connection refused by peer pod id={id}" }),
        outside(other, lostAt, Number.POSITIVE_INFINITY, { unready: share, capacityFactor: 1 - share }),
      ];
    });
    return {
      why: "the lost node keeps others' pods unready; this service's pods are ready, and its version fails requests",
      changes: [bad],
      quiet: hosted.map(({ name }) => name),
      faults: [...lost, draw.chance(0.75) ? failing(draw, bad) : slow(draw, bad)],
    };
  },
};
