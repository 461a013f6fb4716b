import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { recordEvaluations } from "../../../agent/watch/last-evaluations.ts";
import type { LastEvaluation } from "../../../core/model/last-evaluation.ts";

const STEP = 15_000;
const down = (what: readonly string[], at: number): WatchEvent => ({
  ...{ at, event: "source.down", text: "", incident: null },
  about: { source: "prometheus", what },
});

describe("the record of evaluations", () => {
  it("holds when each was, and which sources were down then", async () => {
    const saved: LastEvaluation[] = [];
    const { emit, evaluated } = recordEvaluations(() => undefined, {
      save: async (last) => void saved.push(last),
      stepMs: STEP,
    });
    evaluated(1, []);
    await turn();
    emit(down(["metrics", "targets"], 2));
    emit({ ...down(["targets"], 3), event: "source.up" });
    evaluated(4, []);
    await turn();
    emit({ ...down(["metrics"], 5), event: "source.up" });
    evaluated(6, []);
    await turn();
    expect(saved).toEqual([
      { at: 1, stepMs: STEP, down: [] },
      { at: 4, stepMs: STEP, down: [{ source: "prometheus", parts: ["metrics"], since: 2 }] },
      { at: 6, stepMs: STEP, down: [] },
    ]);
  });

  it("keeps no evaluation waiting for a ledger that hangs, and goes on once it answers", async () => {
    const saved: number[] = [];
    const hung = Promise.withResolvers<void>();
    const { evaluated } = recordEvaluations(() => undefined, {
      save: async ({ at }) => {
        saved.push(at);
        if (at === 1) await hung.promise;
      },
      stepMs: STEP,
    });
    for (const at of [1, 2, 3]) evaluated(at, []);
    hung.resolve();
    await turn();
    evaluated(4, []);
    expect(saved).toEqual([1, 4]);
  });

  it("says once that it cannot be written, and again only after it could", async () => {
    const said: string[] = [];
    let works = false;
    const { evaluated } = recordEvaluations(({ text }) => void said.push(text), {
      save: async () => {
        if (!works) throw new Error("the disk is full");
      },
      stepMs: STEP,
    });
    for (works of [false, false, true, false]) {
      evaluated(1, []);
      await turn();
    }
    expect(said).toEqual([
      "that evaluations succeed cannot be recorded, so that status does not show it: the disk is full",
      "that evaluations succeed cannot be recorded, so that status does not show it: the disk is full",
    ]);
  });
});
