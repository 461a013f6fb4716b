import { describe, expect, it } from "vitest";
import { UnshipError } from "../../../core/errors.ts";
import type { KnownEdge, Topology } from "../../../core/model/evidence.ts";
import { rememberedTopology } from "../../../mcp-tools/connectors/edge-memory.ts";

const DAY = 86_400_000;
const never = new AbortController().signal;

const edge = (caller: string, callee: string, replaced: Partial<KnownEdge> = {}): KnownEdge => ({
  caller,
  callee,
  source: "mesh",
  confidence: 0.9,
  ...replaced,
});

/** A source that shows what the test says, at the time that the test says. */
function memory(options: { readonly keepMs?: number; readonly rereadMs?: number } = {}) {
  let now = 1000;
  let shows: Partial<Topology> | Error = {};
  let reads = 0;
  const remembered = rememberedTopology({
    name: "mesh",
    clock: { now: () => now },
    read: async () => {
      reads += 1;
      if (shows instanceof Error) throw shows;
      const { details = [] } = shows;
      const edges = details.map(({ caller, callee }) => [caller, callee] as const);
      return { edges, external: [], reporting: [], ...shows, details };
    },
    ...options,
  });
  return {
    lacks: remembered.lacks,
    reads: () => reads,
    async at(time: number, seen: Partial<Topology> | Error) {
      now = time;
      shows = seen;
      return await remembered.topology(never);
    },
  };
}

describe("a call graph that is learned over time", () => {
  it("keeps an edge that is not seen for a while, with the traffic that it last had, and lets it go after a week", async () => {
    const one = memory();
    const used = edge("web", "cart", { traffic: { perSecond: 5, at: 1000 } });
    await one.at(1000, { details: [used] });
    const later = await one.at(DAY, { details: [edge("cart", "stock")] });
    expect(later.details).toEqual([edge("cart", "stock"), used]);
    expect((await one.at(7 * DAY + 2000, { details: [edge("cart", "stock")] })).edges).toEqual([["cart", "stock"]]);
  });

  it("is as sure of an edge as it ever was, and knows its latest traffic", async () => {
    const one = memory();
    await one.at(1000, { details: [edge("web", "cart", { confidence: 0.99, traffic: { perSecond: 5, at: 1000 } })] });
    const found = await one.at(DAY, { details: [edge("web", "cart", { traffic: { perSecond: 1, at: DAY } })] });
    expect(found.details).toEqual([edge("web", "cart", { confidence: 0.99, traffic: { perSecond: 1, at: DAY } })]);
  });

  it("asks at most once a minute where it knows edges, and each time where it knows none", async () => {
    const one = memory();
    await one.at(1000, {});
    await one.at(1001, { details: [edge("web", "cart")] });
    expect(one.reads()).toBe(2);
    await one.at(60_000, { details: [] });
    expect(one.reads()).toBe(2);
    await one.at(62_000, { details: [] });
    expect(one.reads()).toBe(3);
  });

  it("a node that was taken for external is none any more once it reports or is an inner node", async () => {
    const one = memory();
    expect((await one.at(1000, { details: [edge("web", "cart")], external: ["cart"] })).external).toEqual(["cart"]);
    expect((await one.at(DAY, { reporting: ["cart"] })).external).toEqual([]);
  });

  it("a source that fails leaves what was learned, and says so until it answers again", async () => {
    const one = memory();
    const down = new UnshipError("source.unavailable", { source: "mesh" });
    await expect(one.at(1000, down)).rejects.toMatchObject({ code: "source.unavailable" });
    await one.at(1001, { details: [edge("web", "cart")] });
    expect(one.lacks()).toEqual([]);
    expect((await one.at(DAY, down)).edges).toEqual([["web", "cart"]]);
    expect(one.lacks()).toEqual([
      { of: "topology", how: "unanswered", source: "mesh", what: "topology", because: down.message },
    ]);
    await one.at(2 * DAY, { details: [edge("web", "cart")] });
    expect(one.lacks()).toEqual([]);
    await expect(one.at(3 * DAY, new TypeError("a defect"))).rejects.toThrow(TypeError);
  });

  it("where a reading is all that there is, what it lacks is gone", async () => {
    const one = memory({ keepMs: 0, rereadMs: 0 });
    await one.at(1000, { details: [edge("web", "cart")], external: ["bank"] });
    expect(await one.at(1001, { details: [edge("web", "stock")] })).toEqual({
      edges: [["web", "stock"]],
      external: [],
      details: [edge("web", "stock")],
      reporting: [],
    });
  });
});
