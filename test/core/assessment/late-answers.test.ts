import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import type { Series } from "../../../core/model/signal.ts";
import type { MetricQuery, Patience, Sources } from "../../../core/ports.ts";
import { testConfig } from "./config.ts";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const STEP = 15_000;
const TICKS = 12;
const never = new AbortController().signal;
const none: Sources = {
  metrics: [],
  changes: [{ name: "history", changes: async () => [] }],
  logs: [],
  traces: [],
  topology: [],
  flags: [],
  rollouts: [],
  alerts: [],
};

function seriesOf({ metric, window, stepMs }: MetricQuery): readonly Series[] {
  const startAt = Math.ceil(window.from / stepMs) * stepMs;
  const count = Math.max(0, Math.floor((window.to - startAt) / stepMs) + 1);
  const values = Array.from({ length: count }, (_, i) => 0.4 + 0.01 * Math.sin((startAt + i * stepMs) / 1e6));
  return [{ service: "cart", metric, unit: "ratio", worse: "up", labels: {}, startAt, stepMs, values }];
}

/** A source that answers each question so many ticks after it was asked; a round waits for nothing that is not there. */
function lateSource(delays: readonly number[]) {
  let tick = 0;
  let asked = 0;
  let [open, mostOpen] = [0, 0];
  const due: { readonly at: number; readonly give: () => void }[] = [];
  const range = (query: MetricQuery) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    const delay = delays[asked++ % delays.length] ?? 0;
    return new Promise<readonly Series[]>((resolve) => {
      const give = () => {
        open -= 1;
        resolve(seriesOf(query));
      };
      if (delay === 0) give();
      else due.push({ at: tick + delay, give });
    });
  };
  const patience: Patience = {
    begin: () => ({
      async isThere(_, answer) {
        let settled = false;
        const end = () => {
          settled = true;
        };
        answer.then(end, end);
        for (let i = 0; i < 3 && !settled; i += 1) await new Promise(setImmediate);
        return settled;
      },
    }),
  };
  return {
    sources: { ...none, metrics: [{ name: "slow", metrics: () => ["memory_usage"], range }] },
    patience,
    mostOpen: () => mostOpen,
    turn() {
      tick += 1;
      for (const one of due.filter(({ at }) => at === tick)) one.give();
    },
  };
}

const samples = (assessor: ReturnType<typeof createAssessor>, to: number) =>
  assessor.engine.recent({ from: T0 - 50 * STEP, to });

describe("a source whose answers come rounds later", () => {
  it("loses no sample, is asked once at a time, and is said to be late only where nothing came", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 }), async (delays) => {
        const late = lateSource(delays);
        const slow = createAssessor(
          { sources: late.sources, config: testConfig() },
          { patience: late.patience, capacity: 100 },
        );
        const atOnce = createAssessor({ sources: lateSource([0]).sources, config: testConfig() }, { capacity: 100 });
        for (let i = 0; i < TICKS; i += 1) {
          await atOnce.tick(T0 + i * STEP, never);
          const { gaps } = await slow.tick(T0 + i * STEP, never);
          for (const { because } of gaps) expect(because).toMatch(/^slow has not answered since/);
          late.turn();
        }
        // Recent samples and their history are two questions; each is asked once at a time.
        expect(late.mostOpen()).toBeLessThanOrEqual(2);
        const read = slow.state().readUpTo["slow/memory_usage/statistics"] ?? 0;
        const until = (all: readonly Series[]) => all.flatMap(({ values }) => values);
        expect(until(samples(slow, read))).toEqual(until(samples(atOnce, read)));
        expect(read).toBeGreaterThanOrEqual(T0);
      }),
      { numRuns: 40 },
    );
  });
});
