import { describe, expect, it } from "vitest";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import type { Change } from "../../../core/model/change.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const options = { versionLabel: "version", windowMs: 30 * MINUTE };
const rank = (changes: readonly Change[], worse: readonly string[] = ["cart"]) => {
  const series = worse.flatMap((service) =>
    [
      { metric: "error_rate", value: (at: number) => (at > T0 ? 0.3 : 0.01) },
      { metric: "request_rate", value: () => 100 },
    ].map(({ metric, value }) => ({
      service,
      metric,
      unit: "",
      worse: "up" as const,
      labels: {},
      startAt: T0 - 40 * MINUTE,
      stepMs: 15_000,
      values: Array.from({ length: 172 }, (_, i) => value(T0 - 40 * MINUTE + i * 15_000)),
    })),
  );
  const findings = worse.map((service) => ({
    detector: "change-point",
    service,
    metric: "error_rate",
    labels: {},
    unit: "ratio",
    verdict: "worse" as const,
    onset: onsetAt(T0),
    detectedAt: T0 + 2 * MINUTE,
    baseline: 0.01,
    current: 0.3,
    samples: 12,
    strength: 30,
    because: "",
  }));
  const topology = { edges: [["web", "cart"] as const], external: [] };
  const file = emptyCase({ at: T0 + 3 * MINUTE, series, findings, changes, topology });
  return rankCandidates(file, changes, onsetAt(T0), new Set(worse), options);
};
const saidOf = (changes: readonly Change[], name: string, worse?: readonly string[]) =>
  rank(changes, worse).candidates[0]?.reasons.find((reason) => reason.name === name)?.sentence;

describe("reasons as people read them at night", () => {
  it.each([
    [0, "onset as the rollout started"],
    [8, "onset 8s after the rollout started"],
    [2495, "onset 41m35s after the rollout started"],
    [-900, "onset 15m before the rollout started: it cannot be the cause"],
  ])("a change that started %d s before", (lagS, sentence) => {
    const startedAt = T0 - lagS * 1000;
    expect(saidOf([change({ startedAt, finishedAt: startedAt + MINUTE })], "timing")).toBe(sentence);
  });

  it("names three of many rollouts that may cost in passing", () => {
    const services = Array.from({ length: 12 }, (_, i) => `s${i}`);
    const many = services.map((service) =>
      change({ id: `deploy-${service}`, service, startedAt: T0 - MINUTE, finishedAt: T0 + 2.5 * MINUTE }),
    );
    const passing = rank(many, services).noChangeReasons.find(({ name }) => name === "passing");
    expect(passing?.sentence).toMatch(
      /^it may be the rollout transient of deploy-s\d+, deploy-s\d+, deploy-s\d+ or one of 9 more replacing pods$/,
    );
  });

  it("says in plain words that nobody else seems guilty", () => {
    const two = [change(), change({ id: "deploy-web", service: "web", startedAt: T0 - 20 * MINUTE, finishedAt: null })];
    expect(saidOf(two, "joined", ["cart", "web"])).toBe("no other change is suspected as well");
  });
});
