import { describe, expect, it } from "vitest";
import { newSignatures, templateOf } from "../../../core/correlation/log-evidence.ts";
import { line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

describe("a template", () => {
  it.each([
    ["masks numbers", "slow query 212ms id=4711", "slow query #ms id=#"],
    ["masks addresses and times", "connect 10.0.0.12:5432 failed at 12:30:01", "connect # failed at #"],
    ["masks hexadecimal identifiers", "trace 4bf92f3577b34da6 lost", "trace # lost"],
    ["masks quoted text", "unknown coupon \"SUMMER\" of user 'bob'", "unknown coupon # of user #"],
    ["keeps words that merely look hexadecimal", "bad cafe facade", "bad cafe facade"],
    ["joins white space", "a \t b", "a b"],
  ])("%s", (_name, message, template) => {
    expect(templateOf(message)).toBe(template);
  });
});

describe("new signatures", () => {
  const onset = onsetAt(T0);
  const known = new Set(["cart", "stock", "bank"]);
  const find = (...logs: ReturnType<typeof line>[]) => newSignatures(logs, onset, 15_000, known);

  it("are errors that were not seen before, with the versions that wrote them", () => {
    const found = find(
      line(T0 + 1000, "NullPointer at Cart.total id=1", { version: "v2" }),
      line(T0 + 2000, "NullPointer at Cart.total id=2", { version: "v2" }),
    );
    expect(found).toMatchObject([{ service: "cart", template: "NullPointer at Cart.total id=#", count: 2, names: [] }]);
    expect([...(found[0]?.versions ?? [])]).toEqual([["v2", 2]]);
  });

  it("are not what was logged before the trouble, at any level or service", () => {
    const before = line(T0 - 10 * MINUTE, "retrying call 1", { level: "info", service: "web" });
    expect(find(before, line(T0 + 1000, "retrying call 2"), line(T0 + 2000, "retrying call 3"))).toEqual([]);
  });

  it("are not a single line, nor anything below an error", () => {
    expect(find(line(T0 + 1000, "odd"))).toEqual([]);
    expect(find(line(T0 + 1000, "odd", { level: "warn" }), line(T0 + 2000, "odd", { level: "warn" }))).toEqual([]);
  });

  it("say whom they complain of", () => {
    const logs = [1, 2].map((i) => line(T0 + i * 1000, `upstream stock returned 503 trace=${i}`));
    expect(find(...logs)[0]?.names).toEqual(["stock"]);
  });

  it("do not find a name inside a longer word", () => {
    const logs = [1, 2].map((i) => line(T0 + i * 1000, `bankruptcy check failed ${i}`));
    expect(find(...logs)[0]?.names).toEqual([]);
  });
});
