import type { Family } from "../../family.ts";
import { outside } from "../../stories.ts";
import { type Fault, MINUTE, SECOND } from "../../world/model.ts";

/**
 * The provider upgrades the nodes of the cluster, one after another, for half an hour. Each drain takes a pod or two from some services: requests
 * to them are cut off, readiness fails until the pods run elsewhere, and then it is the turn of others. Deploys go on meanwhile. Google
 * Cloud, "Standard cluster upgrades" (surge upgrades: one node at a time by default); Kubernetes documentation, "Safely Drain a Node" and
 * `terminationGracePeriodSeconds` (30 s). A pod is back after one to two and a half minutes.
 */
export const nodeUpgrades: Family = {
  name: "node-upgrades",
  faulty: false,
  wishes: { services: [7, 35], watchMinutes: [45, 60], crowd: [1, 4] },
  plot: (stage) => {
    const { draw } = stage;
    const hosted = stage.busy(1);
    if (hosted.length < 4) throw new RangeError("too few services are hosted");
    const nodes = draw.integer(6, 11);
    const every = draw.uniform(2, 3.5) * MINUTE;
    const faults: Fault[] = [];
    for (let node = 0; node < nodes; node++) {
      const from = stage.moment + node * every + draw.uniform(0, 15) * SECOND;
      for (const service of draw.shuffle(hosted).slice(0, draw.integer(2, 4))) {
        const lost = Math.min(0.5, draw.integer(1, 2) / service.pods);
        faults.push(
          outside(service, from, from + draw.uniform(10, 35) * SECOND, {
            errors: lost * draw.uniform(0.1, 0.5),
            signature: "upstream reset: pod is being evicted from its node id={id}",
          }),
          outside(service, from, from + draw.uniform(60, 150) * SECOND, { unready: lost, capacityFactor: 1 - lost }),
        );
      }
    }
    const [first, second] = draw.shuffle(hosted);
    if (first === undefined || second === undefined) throw new RangeError("nobody is deployed");
    return {
      why: "the nodes are drained one after another and their pods move; every service is as before when it is over",
      changes: [
        stage.change("deploy", first, stage.moment - draw.uniform(0.5, 5) * MINUTE),
        stage.change("deploy", second, stage.moment + draw.uniform(4, 12) * MINUTE),
      ],
      faults,
    };
  },
};
