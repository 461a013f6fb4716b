import type { Family } from "../../family.ts";
import { afterwards } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A provider's new version speaks a new format, for one consumer that was deployed with it and cannot do without it. A third
 * service reads the provider too; once it has fetched the new schema it fails, and nobody changed it. Both deploys have to go
 * back: the provider's alone would break the consumer. Zhang et al., "Understanding and Detecting Software Upgrade Failures in
 * Distributed Systems" (SOSP 2021): two thirds of such failures are versions that cannot read each other's data, and many need
 * a third node to show. Schemas are cached for minutes: Confluent documentation, `latest.cache.ttl.sec`.
 */
export const thirdReader: Family = {
  name: "third-reader",
  faulty: true,
  together: true,
  wishes: { services: [8, 35], crowd: [0, 3], evidence: { logs: true } },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const reads = system.calls.filter(
      ({ caller, callee, queue, perRequest }) => !queue && busy.has(caller) && busy.has(callee) && perRequest > 0.3,
    );
    const shared = reads.filter(({ callee }) => reads.filter((other) => other.callee === callee).length > 1);
    const provider = stage.service(draw.pick(shared).callee);
    const [consumer, third] = draw.shuffle(shared.filter(({ callee }) => callee === provider.name));
    if (consumer === undefined || third === undefined) throw new RangeError("too few read it");
    const quick = () => ({ rolloutMs: draw.uniform(0.7, 1.5) * MINUTE });
    const bad = stage.change("deploy", provider, stage.moment, { provides: { schema: "v3" }, ...quick() });
    const bound = stage.change("deploy", stage.service(consumer.caller), afterwards(bad, draw.uniform(0.3, 2)), {
      requires: { [provider.name]: bad.id },
      ...quick(),
    });
    return {
      why: "the provider's new format breaks a reader that was not changed; its new consumer must be rolled back with it",
      changes: [bad, bound],
      quiet: [third.caller],
      faults: [
        {
          because: bad.id,
          service: third.caller,
          from: afterwards(bound, draw.uniform(0.3, 4)),
          to: Number.POSITIVE_INFINITY,
          rampMs: draw.uniform(0, 2) * MINUTE,
          errors: draw.uniform(0.1, 0.7) * Math.min(1, third.perRequest),
          signature: `schema v3 of ${provider.name}: field 'unit' has no reader default, record {id} rejected`,
          main: true,
        },
      ],
    };
  },
};
