import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import { timingEvidence } from "../../../core/correlation/timing.ts";
import type { Ranking } from "../../../core/model/candidate.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { deploy, type WorldOptions } from "../assessment/world.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const names = ["web", "gateway", "cart", "checkout", "pay", "stock"];
const judged = async (options: WorldOptions) => assess(await caseAt(options, 460), testConfig());
const first = (ranking: Ranking | undefined): number => ranking?.candidates[0]?.probability ?? 0;

describe("many changes in the minutes before the trouble", () => {
  it("are not decided by timing alone where all their services begin to fail at once: that is evidence for none of them", async () => {
    const { decision, answers } = await judged({
      ...base,
      edges: [],
      external: [],
      changes: names.map((name, i) => deploy(name, 180 + 20 * i, {}, 60)),
      effects: names.map((service) => ({ service, fromS: 305, errors: 0.2, spread: 0 })),
    });
    const ranking = answers.correlate_timing?.ranking;
    expect(first(ranking)).toBeLessThan(0.8);
    expect(decision.action).toBe("no_action");
    expect(ranking?.noChangeReasons.map(({ sentence }) => sentence).join("\n")).toMatch(
      /6 of 6 measured services were degraded at the same onset, more than meet by chance/,
    );
  });

  it("of one service are not told apart either", async () => {
    const { decision, answers } = await judged({
      ...base,
      changes: names.map((_, i) => deploy("cart", 180 + 20 * i, { id: `config-${i}`, kind: "config" }, 60)),
      effects: [{ service: "cart", fromS: 305, errors: 0.2 }],
    });
    expect(first(answers.correlate_timing?.ranking)).toBeLessThan(0.6);
    expect(decision.action).toBe("no_action");
  });

  it("are told apart where only one of them is where the trouble starts", async () => {
    const { decision } = await judged({
      ...base,
      changes: names.map((name, i) => deploy(name, 180 + 20 * i, {}, 60)),
      effects: [{ service: "cart", fromS: 225, errors: 0.3 }],
    });
    expect(decision).toMatchObject({ action: "rollback", changeIds: ["deploy-cart-220"] });
  });

  it("never let timing alone decide, however they are spread over two minutes", () => {
    const lags = fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(lags, fc.integer({ min: 2, max: 600 }), (each, rolloutS) => {
        const nats = each.map((lagS) => {
          const startedAt = T0 - lagS * 1000;
          const timing = { kind: "deploy" as const, startedAt, finishedAt: startedAt + rolloutS * 1000 };
          const options = { stepMs: 15_000, windowMs: 30 * MINUTE, at: T0 + MINUTE, course: "shift" as const };
          return Math.exp(timingEvidence(timing, onsetAt(T0), options));
        });
        expect(Math.max(...nats) / nats.reduce((a, b) => a + b, 0)).toBeLessThan(0.8);
      }),
    );
  });
});

describe("a change that began after the trouble", () => {
  const options = { versionLabel: "version", windowMs: 30 * MINUTE };
  it("is never first, whatever its size, its past, and whatever its service says later", () => {
    const numbers = fc.record({
      afterS: fc.integer({ min: 31, max: 3600 }),
      lines: fc.integer({ min: 0, max: 10 ** 5 }),
    });
    fc.assert(
      fc.property(numbers, fc.boolean(), ({ afterS, lines }, alsoBefore) => {
        const late = change({
          id: "late",
          startedAt: T0 + afterS * 1000,
          finishedAt: T0 + afterS * 1000 + 2 * MINUTE,
          diff: { files: 9, insertions: lines, deletions: 0 },
        });
        const changes = alsoBefore ? [change({ id: "before", service: "pay", startedAt: T0 - MINUTE }), late] : [late];
        const logs = [1, 2, 3].map((i) => ({
          at: late.startedAt + i * 1000,
          service: "cart",
          level: "error" as const,
          message: `broken ${i}`,
          version: late.to,
        }));
        const at = late.startedAt + 5 * MINUTE;
        const past = new Map([["cart/deploy", { changes: 9, bad: 9 }]]);
        const { candidates, noChangeProbability } = rankCandidates(
          emptyCase({ at, changes, logs }),
          changes,
          onsetAt(T0),
          new Set(["cart"]),
          { ...options, past },
        );
        const probability = candidates.find(({ changeId }) => changeId === "late")?.probability ?? 0;
        expect(probability).toBeLessThan(1e-3);
        expect(probability).toBeLessThan(noChangeProbability);
      }),
    );
  });
});
