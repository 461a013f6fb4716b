import type { Family } from "../../family.ts";

/**
 * A provider's new version writes its answers, or its events, in a format that those who read them cannot parse. It is as fast and as
 * well as ever; the errors are at its callers and at the readers of its queues, in proportion to the share of new pods. Pokkunuri,
 * "Ensuring rollback safety during deployments" (Amazon Builders' Library): a change of protocol or serialisation needs two deploys,
 * readers first; Zhang et al., "Understanding and Detecting Software Upgrade Failures in Distributed Systems" (SOSP 2021): about two
 * thirds are incompatible data between versions. A tenth to four fifths of the answers carry what changed.
 */
export const formatChange: Family = {
  name: "format-change",
  faulty: true,
  wishes: { crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const read = system.calls
      .filter(({ caller, callee, perRequest }) => busy.has(caller) && busy.has(callee) && perRequest > 0.1)
      .map(({ caller, callee, perRequest, queue }) =>
        queue
          ? { from: caller, by: callee, what: "event", share: 1 }
          : { from: callee, by: caller, what: "answer", share: Math.min(1, perRequest) },
      );
    const provider = stage.service(draw.pick(read).from);
    const readers = read.filter(({ from }) => from === provider.name);
    const change = stage.change("deploy", provider, stage.moment);
    const affected = draw.uniform(0.1, 0.8);
    return {
      why: "the provider's new format cannot be read by its consumers, which were not changed",
      changes: [change],
      quiet: readers.map(({ by }) => by),
      faults: readers.map(({ by, what, share }) => ({
        because: change.id,
        service: by,
        from: change.startedAt,
        to: Number.POSITIVE_INFINITY,
        steps: change.shares,
        errors: affected * share,
        signature: `cannot parse ${what} of ${provider.name}: expected number, found string at $.amount id={id}`,
        main: true,
      })),
    };
  },
};
