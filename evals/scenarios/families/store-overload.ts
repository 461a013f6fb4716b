import type { Family } from "../family.ts";
import { slowSignature } from "../stories.ts";

/** A new version asks the shared store many times for each request; the store saturates, and its other callers suffer too. */
export const storeOverload: Family = {
  name: "store-overload",
  faulty: true,
  wishes: { store: true },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const pairs = system.calls.filter(
      ({ caller, callee, perRequest }) =>
        busy.has(caller) && stage.service(callee).tier === "store" && perRequest > 0.1,
    );
    const { caller, callee, perRequest } = draw.pick(pairs);
    const store = stage.service(callee);
    const change = stage.change("deploy", stage.service(caller), stage.moment);
    // So many more calls that the store comes to 95 to 140 % of what it can serve.
    const extra =
      (store.expectedRate * (draw.uniform(0.95, 1.4) / store.utilisation - 1)) /
      (stage.service(caller).expectedRate * perRequest);
    const fault = {
      because: change.id,
      service: caller,
      from: change.startedAt,
      to: Number.POSITIVE_INFINITY,
      withVersion: true,
      calls: { callee, factor: 1 + extra },
      signature: slowSignature(draw),
      main: true,
    };
    return {
      why: "the new version overloads the shared store; the store and its other callers only suffer",
      changes: [change],
      faults: [fault],
    };
  },
};
