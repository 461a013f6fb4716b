import { describe, expect, it } from "vitest";
import { newSignatures } from "../../../core/correlation/log-evidence.ts";
import { line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

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

  it("are not what differs from an old message in words alone", () => {
    const before = line(T0 - 10 * MINUTE, "user alice has no card on file");
    const again = line(T0 - 9 * MINUTE, "user bob has no card on file");
    const logs = ["carol", "dan"].map((who, i) => line(T0 + i * 1000, `user ${who} has no card on file`));
    expect(find(before, again, ...logs)).toEqual([]);
  });

  it("tell a complaint of a failed call from an error of its own", () => {
    const logs = [1, 2].flatMap((i) => [
      line(T0 + i * 1000, `502 bad gateway after ${i} tries`),
      line(T0 + i * 1000, `index ${i} out of range in Cart.total`),
    ]);
    const found = find(...logs).map(({ template, complains }) => [template, complains]);
    expect(new Map(found as [string, boolean][])).toEqual(
      new Map([
        ["# bad gateway after # tries", true],
        ["index # out of range in Cart.total", false],
      ]),
    );
  });

  it("are the same whatever the order in which the lines come", () => {
    const logs = Array.from({ length: 12 }, (_, i) =>
      line(T0 + (i - 4) * 60_000, `${i % 3 === 0 ? "slow" : "lost"} answer ${i} of user u${i}`),
    );
    const told = find(...logs).map(({ template, count }) => [template, count]);
    expect(find(...logs.toReversed()).map(({ template, count }) => [template, count])).toEqual(told);
  });

  it("do not find a name inside a longer word", () => {
    const logs = [1, 2].map((i) => line(T0 + i * 1000, `bankruptcy check failed ${i}`));
    expect(find(...logs)[0]?.names).toEqual([]);
  });
});
