import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { isUntold, refusedAtEntries } from "../../../core/correlation/refused.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 300;
const USUAL = 40;
/** Three hundredths of scatter, and a slow wander of as much. */
const wander = (i: number) => 1 + 0.03 * Math.sin(i * 2.4) + 0.03 * Math.sin(i / 23);

const graph = createCallGraph({ edges: [["web", "cart"]], external: [] });

/** Requests and failures a second since the onset, for so many samples, at `service`. */
function refused(asked: number, failed: number, samples: number, service = "web") {
  const rates = Array.from({ length: BEFORE + samples }, (_, i) => (i < BEFORE ? USUAL : asked) * wander(i));
  const of = (metric: string, values: readonly number[]) => ({
    service,
    metric,
    unit: "",
    worse: metric === "error_rate" ? ("up" as const) : ("either" as const),
    labels: {},
    startAt: T0 - (BEFORE - 1) * STEP,
    stepMs: STEP,
    values,
  });
  const shares = rates.map((_, i) => (i < BEFORE ? 0.001 : failed / asked));
  const index = indexSeries([of("request_rate", rates), of("error_rate", shares)], "version");
  const harm = new Map([[service, 6]]);
  return refusedAtEntries(index, graph, harm, onsetAt(T0), T0 + samples * STEP).get(service);
}

describe("requests that fail where users come in", () => {
  const rows: readonly (readonly [
    string,
    Parameters<typeof refused>,
    "a client's" | "of the usual" | "untold" | "not asked",
  ])[] = [
    ["on top of the usual ones: ten more asked, ten fail", [50, 10, 12], "a client's"],
    ["at as many as ever: forty asked, ten fail", [40, 10, 12], "of the usual"],
    ["while fewer come", [32, 10, 12], "of the usual"],
    ["so few that the level of requests wanders by more", [40.4, 0.4, 12], "untold"],
    ["for one sample", [50, 10, 1], "untold"],
    ["at a service that others call", [50, 10, 12, "cart"], "not asked"],
  ];
  it.each(rows.map(([name, given, is]) => ({ name, given, is })))("$name: $is", ({ given, is }) => {
    const found = refused(...given);
    if (is === "not asked") expect(found).toBeUndefined();
    else if (is === "untold") expect(found?.told).toBe(false);
    else expect({ told: found?.told, more: (found?.nats ?? 0) > 0 }).toEqual({ told: true, more: is === "a client's" });
  });

  it("are waited for while they cannot be determined apart, and no longer than three minutes", () => {
    const unclear = refused(40.4, 0.4, 12);
    expect(isUntold(unclear, onsetAt(T0), T0 + 2 * MINUTE)).toBe(true);
    expect(isUntold(unclear, onsetAt(T0), T0 + 4 * MINUTE)).toBe(false);
    expect(isUntold(refused(40, 10, 8), onsetAt(T0), T0 + 2 * MINUTE)).toBe(false);
    expect(isUntold(undefined, onsetAt(T0), T0 + MINUTE)).toBe(false);
  });
});
