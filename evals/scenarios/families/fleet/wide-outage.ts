import type { Family } from "../../family.ts";
import { NO_GRAPH } from "../../fleet-stories.ts";
import { outside } from "../../stories.ts";
import { type Fault, MINUTE, SECOND } from "../../world/model.ts";

type Way = (strength: number) => Partial<Fault>;
/** What many services share and nothing here measures, and how its failure reaches each of them. */
const SHARED: readonly (readonly [what: string, Way])[] = [
  [
    "the zone",
    (s) => ({ errors: 0.1 + 0.3 * s, unready: 0.33, capacityFactor: 0.67, signature: "no route to host id={id}" }),
  ],
  [
    "the node pool",
    (s) => ({
      unready: 0.2 + 0.3 * s,
      capacityFactor: 0.7,
      errors: 0.1 * s,
      signature: "connection refused by peer pod id={id}",
    }),
  ],
  [
    "name resolution",
    (s) => ({
      errors: 0.05 + 0.4 * s,
      addedMs: 200 + 1500 * s,
      signature: "lookup failed: server misbehaving id={id}",
    }),
  ],
  [
    "the mesh's control plane",
    (s) => ({ errors: 0.1 + 0.5 * s, signature: "upstream connect error, certificate not yet valid id={id}" }),
  ],
  ["the identity provider", (s) => ({ errors: 0.2 + 0.6 * s, signature: "cannot fetch signing keys id={id}" })],
];

/** Something that many services share breaks, and nothing tells which; some of them were deployed shortly before, nobody knows who calls whom. */
export const wideOutage: Family = {
  name: "wide-outage",
  faulty: false,
  wishes: { services: [25, 50], crowd: [0, 4], evidence: NO_GRAPH },
  plot: (stage) => {
    const { draw } = stage;
    const [what, way] = draw.pick(SHARED);
    const all = draw.shuffle(stage.busy(0.2));
    const hit = all.slice(0, Math.round(all.length * draw.uniform(0.3, 0.85)));
    if (hit.length < 6) throw new RangeError("too few services");
    const end = draw.chance(0.4) ? Number.POSITIVE_INFINITY : stage.moment + draw.uniform(8, 35) * MINUTE;
    const strength = draw.uniform(0.2, 1);
    const fresh = draw.shuffle(all).slice(0, draw.integer(3, 10));
    return {
      why: `${what} failed ${hit.length} services at once, whoever was deployed before`,
      changes: fresh.map((service) => stage.change("deploy", service, stage.moment - draw.uniform(0.1, 10) * MINUTE)),
      faults: hit.map((service) =>
        outside(service, stage.moment + draw.uniform(0, 12) * SECOND, end, way(strength * draw.uniform(0.7, 1))),
      ),
    };
  },
};
