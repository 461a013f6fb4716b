import { describe, expect, it } from "vitest";
import { GROWN } from "../../../core/assessment/grown.ts";
import { goesOnAlone } from "../../../core/assessment/outlasting.ts";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, MINUTE, T0 } from "../correlation/fixtures.ts";
import { cartFails, STEP_MS } from "./cart-failing.ts";

const BEFORE = 120;
const USUAL = 0.002;
/** About `level`, by a tenth to either side. */
const about = (level: number, count: number) =>
  Array.from({ length: count }, (_, i) => level * (1 + 0.1 * Math.sin(i)));
/** Half an hour as usual until T0, then these samples. */
const series = (service: string, values: readonly (number | null)[]): Series => ({
  service,
  metric: "error_rate",
  unit: "ratio",
  worse: "up",
  labels: {},
  startAt: T0 - (BEFORE - 1) * STEP_MS,
  stepMs: STEP_MS,
  values: [...about(USUAL, BEFORE), ...values],
});
const finding = cartFails();
const graph = createCallGraph({
  edges: [
    ["cart", "store"],
    ["cart", "tax"],
  ],
  external: [],
});
/** Cart went out after so many samples of the trouble. */
const AFTER = 16;
const deployed = [change({ startedAt: T0 + AFTER * STEP_MS })];
/** So much for as long as the store fails, two samples beyond the deploy, then so much for twenty more. */
const bad = (level: number, then: number, count = 20) => [...about(level, AFTER + 2), ...about(then, count)];

interface World {
  readonly cart: readonly (number | null)[];
  readonly store: readonly (number | null)[];
  readonly tax?: readonly (number | null)[];
  readonly changes?: readonly Change[];
}

function found({ cart, store, tax = about(USUAL, 38), changes = deployed }: World): Finding | null {
  const all = [series("cart", cart), series("store", store), series("tax", tax)];
  return goesOnAlone(
    finding,
    (service) => all.find((one) => one.service === service),
    graph,
    changes,
    T0 + 60 * MINUTE,
  );
}

describe("a changed service whose callee failed before it was changed", () => {
  const relay = { cart: bad(0.2, 0.25), store: bad(0.2, USUAL) };
  const rows: readonly (readonly [string, World, boolean])[] = [
    ["is in a trouble of its own where it goes on once the callee is well", relay, true],
    ["also where it goes on at a lower level", { ...relay, cart: bad(0.2, 0.1) }, true],
    ["is not where it is well with it", { ...relay, cart: bad(0.2, USUAL) }, false],
    ["nor where the callee goes on as well", { ...relay, store: bad(0.2, 0.2) }, false],
    [
      "nor where the callee was well for a few samples only",
      { cart: bad(0.2, 0.25, 8), store: bad(0.2, USUAL, 8) },
      false,
    ],
    ["nor where another callee that failed goes on", { ...relay, tax: bad(0.2, 0.2) }, false],
    ["nor where no callee had failed", { ...relay, store: about(USUAL, 38) }, false],
    ["nor where nobody changed it", { ...relay, changes: [] }, false],
    [
      "nor where it was changed once the callee was well",
      { ...relay, changes: [change({ startedAt: T0 + 30 * STEP_MS })] },
      false,
    ],
    [
      "S9: nor where nothing is heard of the callee any more",
      { ...relay, store: [...about(0.2, AFTER + 2), null, null] },
      false,
    ],
  ];
  it.each(rows)("%s", (_, world, expected) => {
    expect(found(world) !== null).toBe(expected);
  });

  it("is dated by the callee's end, as what may have begun at any time since the change", () => {
    const told = found(relay);
    const [began, end] = [T0 + AFTER * STEP_MS, T0 + (AFTER + 2) * STEP_MS];
    expect(told).toMatchObject({ detector: GROWN, onset: { earliest: began, at: end, latest: end + STEP_MS } });
    expect(told?.because).toMatch(
      /^error_rate of cart rose with that of store, which is well since about .* still 2\d\.\d+ %$/,
    );
  });
});
