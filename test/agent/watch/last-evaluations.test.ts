import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { recordEvaluations } from "../../../agent/watch/last-evaluations.ts";
import { type LastEvaluation, lastEvaluationLines, lastEvaluationView } from "../../../core/model/last-evaluation.ts";

const STEP = 15_000;
const NOW = Date.UTC(2026, 2, 2, 14, 10, 0);
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

describe("the last evaluation, as status tells it", () => {
  const fresh: LastEvaluation = { at: NOW - 8_000, stepMs: STEP, down: [] };
  const source = { source: "prometheus", parts: ["metrics: error_rate", "targets"], since: NOW - 60_000 };
  it.each<[string, LastEvaluation | null, boolean | null, readonly string[]]>([
    [
      "a watch that evaluates",
      fresh,
      true,
      ["Last evaluation: 2026-03-02T14:09:52.000Z, 8s ago", "  no source was down"],
    ],
    [
      "a watch one of whose sources is down",
      { ...fresh, down: [source] },
      true,
      [
        "Last evaluation: 2026-03-02T14:09:52.000Z, 8s ago",
        "  prometheus did not answer then (metrics: error_rate; targets), since 2026-03-02T14:09:00.000Z",
        "  no other source was down",
      ],
    ],
    [
      "a watch that hangs",
      { ...fresh, at: NOW - 46_000 },
      true,
      [
        "Last evaluation: 2026-03-02T14:09:14.000Z, 46s ago, and one is due every 15s: THE WATCH EVALUATES NOTHING",
        "  no source was down",
      ],
    ],
    [
      "a watch that ended",
      { ...fresh, at: NOW - 46_000 },
      false,
      ["Last evaluation: 2026-03-02T14:09:14.000Z, 46s ago", "  no source was down"],
    ],
    ["a watch that has just begun", null, true, ["Last evaluation: none is recorded"]],
    ["no watch ever", null, false, []],
  ])("%s", (_, last, isWatched, lines) => {
    expect(lastEvaluationLines(last, { now: NOW, isWatched })).toEqual(lines);
  });

  it("is late as JSON after three steps", () => {
    expect(lastEvaluationView(fresh, NOW)).toMatchObject({ late: false, step_seconds: 15 });
    expect(lastEvaluationView(fresh, fresh.at + 3 * STEP + 1)).toMatchObject({ late: true });
  });
});
