import { describe, expect, it } from "vitest";
import { mergeWrites } from "../../../evals/sandbox/writes.ts";

const path = "/apis/apps/v1/namespaces/production/deployments/cart";
const body = { spec: { replicas: 1 } };
const sent = [{ method: "PATCH", path: `${path}?fieldManager=ana`, body: JSON.stringify(body) }];
const seen = (at: number, more = {}) => ({ at, method: "PATCH", path, body, ...more });

describe("the record of writes", () => {
  it.each([
    ["knows the deployer's own by method, path and body", [seen(1)], [true]],
    ["takes the very same request a second time for somebody else's", [seen(1), seen(2)], [true, false]],
    ["takes another body for somebody else's", [seen(1, { body: { spec: {} } })], [false]],
    ["takes another object for somebody else's", [seen(1, { path: `${path}s` })], [false]],
    ["takes another verb for somebody else's", [seen(1, { method: "PUT" })], [false]],
    ["reads a body that was kept as text", [seen(1, { body: JSON.stringify(body) })], [true]],
  ])("%s", (_, cluster, own) => {
    expect(mergeWrites(cluster, [], { sent, guest: "unship" }).map((write) => write.own)).toEqual(own);
  });

  it("puts both APIs' writes in the order of time, the guest's and the nameless ones' never the sandbox's own", () => {
    const flag = (at: number, by: string | null) => ({ at, method: "POST", path: "/off", body: undefined, by });
    const all = mergeWrites([seen(2)], [flag(1, "fay"), flag(3, "unship"), flag(4, null)], { sent, guest: "unship" });
    expect(all.map(({ at, api, own }) => [at, api, own])).toEqual([
      [1, "flags", true],
      [2, "kubernetes", true],
      [3, "flags", false],
      [4, "flags", false],
    ]);
  });
});
