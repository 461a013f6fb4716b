import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createContextReader } from "../../../core/assessment/context.ts";
import type { LogLine } from "../../../core/model/evidence.ts";
import type { LogQuery, Sources } from "../../../core/ports.ts";
import { MINUTE, T0 } from "../correlation/fixtures.ts";
import { testConfig } from "./config.ts";

const now = T0 + 30 * MINUTE;
const written = (service: string, everyMs: number): readonly LogLine[] =>
  Array.from({ length: Math.floor((30 * MINUTE) / everyMs) }, (_, i) => ({
    at: T0 + 1000 + i * everyMs,
    service,
    level: "error",
    message: `${service} failed`,
  }));

/** Only these two are joined, by a call. */
const EDGES = [["web", "cart"]] as const;

function readerOf(lines: readonly LogLine[]) {
  const search = async ({ window, services, limit }: LogQuery) => {
    const fitting = lines
      .filter(({ at, service }) => at >= window.from && at <= window.to && (services?.includes(service) ?? true))
      .toSorted((a, b) => b.at - a.at);
    return { lines: fitting.slice(0, limit), more: fitting.length > limit };
  };
  const none = {
    metrics: [],
    changes: [{ name: "history", changes: async () => [] }],
    traces: [],
    topology: [{ name: "graph", topology: async () => ({ edges: EDGES, external: [] }) }],
    flags: [],
    alerts: [],
    rollouts: [],
  };
  return createContextReader({ ...none, logs: [{ name: "logs", search }] } as unknown as Sources, testConfig());
}

describe("logs of an incident", () => {
  const FROM = T0 + 10 * MINUTE;
  const read = async (lines: readonly LogLine[], degraded: readonly string[]) => {
    const context = { now, abort: new AbortController().signal, gaps: [] };
    const since = new Map(degraded.map((one) => [one, FROM]));
    const found = await readerOf(lines)(context, FROM, { since, changes: [] });
    return found.logs.filter(({ service }) => service === "cart" || service === "web");
  };
  const own = [...written("cart", 10_000), ...written("web", 7_000)];

  it("are not hidden by those of a service that writes far more", async () => {
    const alone = await read(own, ["cart"]);
    expect(alone).toHaveLength(own.length);
    expect(await read([...own, ...written("chatty", 100)], ["cart", "chatty"])).toEqual(alone);
  });

  it("S16: are those of all that a call joins, degraded or not, whatever else writes and is degraded", async () => {
    const fixed = { seed: 20_261_203, numRuns: 60 };
    const chatty = fc.record({
      name: fc.constantFrom("search", "feed", "geo"),
      everyMs: fc.integer({ min: 90, max: 60_000 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(["cart"], ["web"], ["cart", "web"]),
        fc.array(chatty, { maxLength: 3 }),
        fc.boolean(),
        fc.integer({ min: 500, max: 30_000 }),
        async (degraded, others, areDegraded, webEveryMs) => {
          const joined = [...written("cart", 10_000), ...written("web", webEveryMs)];
          const beside = others.flatMap(({ name, everyMs }) => written(name, everyMs));
          const theirs = areDegraded ? others.map(({ name }) => name) : [];
          expect(await read([...joined, ...beside], [...degraded, ...theirs])).toEqual(await read(joined, degraded));
        },
      ),
      fixed,
    );
  });
});
