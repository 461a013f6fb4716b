import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { testConfig } from "./config.ts";
import { openRecording } from "./recording.ts";
import { replay } from "./replay.ts";

const ROOT = join(import.meta.dirname, "../../../evals/data/incidents");
const bundles = readdirSync(ROOT).sort();

const VARIANTS = [
  ["as recorded", {}, 1],
  ["without logs", { logs: false }, 1],
  ["without logs and version split", { logs: false, versions: false }, 1],
  ["with 60 s samples, without logs and version split", { logs: false, versions: false }, 4],
] as const;

describe.each(VARIANTS)("recorded incidents %s", (_variant, options, every) => {
  const briers: number[] = [];
  const delays: number[] = [];

  it.each(bundles)("%s is decided as it should have been", async (id) => {
    const world = openRecording(join(ROOT, id), { ...options, every });
    const { truth } = world;
    const { acting, last, withdrawn } = await replay(world, testConfig({ watch: { stepMs: 15_000 * every } }));
    expect(truth.acceptable).toContain(acting?.decision.action ?? "no_action");
    expect(withdrawn).toBe(0);
    const ranking = (acting ?? last)?.answers.correlate_timing?.ranking;
    if (ranking !== undefined) {
      const off = ranking.candidates.map((one) => (one.probability - (one.changeId === truth.culprit ? 1 : 0)) ** 2);
      const none = ((ranking.noChangeProbability ?? 1) - (truth.culprit === null ? 1 : 0)) ** 2;
      briers.push(off.reduce((sum, value) => sum + value, none));
    }
    if (!truth.faulty) return;
    expect(acting?.decision.culprit?.changeId).toBe(truth.culprit);
    expect([...(acting?.decision.changeIds ?? [])].sort()).toEqual([...truth.targets].sort());
    const onset = truth.onset ?? Number.NaN;
    expect(acting?.at).toBeGreaterThan(onset);
    delays.push(((acting?.at ?? 0) - onset) / 1000);
  });

  afterAll(() => {
    const brier = briers.reduce((sum, value) => sum + value, 0) / briers.length;
    const sorted = [...delays].sort((a, b) => a - b);
    const middle = sorted[Math.floor(sorted.length / 2)];
    console.log(
      `${_variant}: Brier ${brier.toFixed(4)}, onset to decision median ${middle} s, most ${sorted.at(-1)} s`,
    );
    expect(brier).toBeLessThan(0.06);
  });
});
