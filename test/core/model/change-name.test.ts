import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changeName } from "../../../core/model/change-name.ts";

const change = (id: string, more: Partial<Parameters<typeof changeName>[1][number]> = {}) => ({
  ...{ id, kind: "deploy" as const, service: "payments", from: "1.1.0", to: "1.2.0" },
  ...more,
});

describe("what a change is called", () => {
  it.each([
    ["a deploy", {}, "payments 1.1.0 → 1.2.0"],
    ["a deploy of which nobody knows what it replaced", { from: "" }, "payments 1.2.0"],
    ["a flag", { kind: "flag", flag: "new-totals", from: "off", to: "on" }, "flag new-totals off → on"],
    ["a migration", { kind: "migration", service: "orders", from: "41", to: "42" }, "migration of orders 41 → 42"],
    ["a config", { kind: "config", from: "a", to: "b" }, "config of payments a → b"],
  ] as const)("%s", (_, more, called) => {
    expect(changeName("c", [change("c", more), change("other", { service: "cart" })])).toBe(called);
  });

  it("is its id where nothing else is known of it", () => {
    expect(changeName("deploy:x", [change("c")])).toBe("deploy:x");
  });

  it("never the same for two changes, however alike they are", () => {
    const some = fc.record({
      kind: fc.constantFrom("deploy" as const, "flag" as const, "config" as const),
      service: fc.constantFrom("a", "b"),
      from: fc.constantFrom("", "1"),
      to: fc.constantFrom("1", "2"),
    });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 12 }), (all) => {
        const changes = all.map((more, index) => change(`id-${index}`, more));
        const names = changes.map(({ id }) => changeName(id, changes));
        expect(new Set(names).size).toBe(changes.length);
      }),
    );
  });
});
