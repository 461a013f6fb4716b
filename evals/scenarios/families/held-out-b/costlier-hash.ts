import type { Family } from "../../family.ts";
import { afterwards, slow } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A new version protects what it issues with a far costlier hash, and its caller's new version asks for that kind alone. Old
 * tokens live on for some minutes; as they are renewed, more and more requests pay, until the processor has no more to give.
 * Both must go back. OWASP, "Password Storage Cheat Sheet" (a work factor that is too high exhausts the processor; hashes are
 * upgraded as users come back); Provos and Mazières, "A Future-Adaptable Password Scheme" (USENIX 1999): each step of the cost
 * doubles the work. Tokens are renewed after 4 to 12 minutes.
 */
export const costlierHash: Family = {
  name: "costlier-hash",
  faulty: true,
  together: true,
  wishes: { crowd: [0, 3], watchMinutes: [45, 65] },
  plot: (stage) => {
    const { draw, system } = stage;
    const busy = new Set(stage.busy().map(({ name }) => name));
    const { caller, callee } = draw.pick(
      system.calls.filter(
        ({ caller, callee, queue, perRequest }) => !queue && busy.has(caller) && busy.has(callee) && perRequest > 0.3,
      ),
    );
    const issuer = stage.service(callee);
    const quick = () => ({ rolloutMs: draw.uniform(0.7, 2) * MINUTE });
    const bad = stage.change("deploy", issuer, stage.moment, { provides: { token: "v2" }, ...quick() });
    const bound = stage.change("deploy", stage.service(caller), afterwards(bad, draw.uniform(0.3, 2.5)), {
      requires: { [callee]: bad.id },
      ...quick(),
    });
    return {
      why: "each token of the new kind costs many times the work; the caller's version takes no other, so both are rolled back",
      changes: [bad, bound],
      faults: [
        slow(draw, bad, {
          from: afterwards(bound, draw.uniform(0.1, 1)),
          rampMs: draw.uniform(4, 12) * MINUTE,
          latencyFactor: draw.uniform(1.2, 2.2),
          cpuFactor: draw.uniform(0.9, 1.3) / issuer.utilisation,
          signature: "token verified in {ms}ms, cost=14, worker busy id={id}",
        }),
      ],
    };
  },
};
