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
    topology: [],
    flags: [],
    alerts: [],
    rollouts: [],
  };
  return createContextReader({ ...none, logs: [{ name: "logs", search }] } as unknown as Sources, testConfig());
}

describe("logs of an incident", () => {
  const read = async (lines: readonly LogLine[], degraded: readonly string[]) => {
    const context = { now, abort: new AbortController().signal, gaps: [] };
    const found = await readerOf(lines)(
      context,
      T0 + 10 * MINUTE,
      new Map(degraded.map((one) => [one, T0 + 10 * MINUTE])),
    );
    return found.logs.filter(({ service }) => service === "cart");
  };

  it("are not hidden by those of a service that writes far more", async () => {
    const own = written("cart", 10_000);
    const alone = await read(own, ["cart"]);
    expect(alone).toHaveLength(own.length);
    expect(await read([...own, ...written("chatty", 100)], ["cart", "chatty"])).toEqual(alone);
  });
});
