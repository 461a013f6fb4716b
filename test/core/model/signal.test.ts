import fc from "fast-check";
import { expect, test } from "vitest";
import { signalId, signalKey } from "../../../core/model/signal.ts";

test("two signals have one id where they have one key, and only there, whatever their names hold", () => {
  const name = fc.string({ unit: fc.constantFrom("a", "1", " ", "[", '"', "\n"), maxLength: 3 });
  const signal = fc.record({
    service: name,
    metric: name,
    labels: fc.dictionary(name, name, { maxKeys: 1 }),
  });
  fc.assert(
    fc.property(fc.array(signal, { maxLength: 40 }), (signals) => {
      const keys = new Map(signals.map((one) => [signalId(one), signalKey(one)]));
      for (const one of signals) expect(keys.get(signalId(one))).toBe(signalKey(one));
      expect(keys.size).toBe(new Set(keys.values()).size);
    }),
  );
});
