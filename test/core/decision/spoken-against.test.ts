import { describe, expect, it } from "vitest";
import type { Origin } from "../../../core/correlation/origin.ts";
import type { CaseEvidence } from "../../../core/correlation/rank.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { spokenAgainst } from "../../../core/decision/spoken-against.ts";
import type { Candidate, Reason } from "../../../core/model/candidate.ts";
import type { Series } from "../../../core/model/signal.ts";
import { cartFails } from "../assessment/cart-failing.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "../correlation/fixtures.ts";

const STEP = 15_000;
const deploy = change({ startedAt: T0 - STEP });
const origin = (name: string, fit: number): Origin => ({
  ...{ name, kind: "service", fit, pattern: fit, told: 0, demand: 0, atConsumers: Number.NEGATIVE_INFINITY },
});
const row = (metric: string, values: readonly number[]): Series => ({
  ...{ service: "cart", metric, unit: "", worse: "up", labels: {} },
  ...{ startAt: T0 + STEP, stepMs: STEP, values: [...values] },
});
const fill = (value: number) => Array.from({ length: 4 }, () => value);

/** Cart fails 30 % of its requests since its deploy, and its callee fits better. */
function seen(): CaseEvidence {
  const series = [row("error_rate", fill(0.3))];
  return {
    caseFile: emptyCase({ at: T0 + 2 * MINUTE, findings: [cartFails({ current: 0.3, samples: 4 })], series }),
    index: indexSeries(series, "version"),
    onset: onsetAt(T0),
    worse: new Map([["cart", new Set(["error_rate"])]]),
    origins: [origin("cart", -3.1), origin("cartdb", -1)],
    usedUp: null,
    signatures: [],
  } as unknown as CaseEvidence;
}
const accused = (place: number, more: readonly Reason[] = []): Candidate => ({
  changeId: deploy.id,
  service: "cart",
  probability: 0.93,
  reasons: [
    { name: "prior", logOdds: -0.7, sentence: "one bad change in ten" },
    { name: "timing", logOdds: 2.5, sentence: "the trouble began 15s after it started" },
    { name: "place", logOdds: place, sentence: "its place" },
    ...more,
  ],
});
const told: Reason = { name: "versions", logOdds: 5, sentence: "while both served, v1.1.0 alone failed" };
const grows: Reason = { name: "growth", logOdds: 1.4, sentence: "it grows as v1.1.0 takes over" };

describe("a change that nothing but its circumstances accuses", () => {
  it.each<[string, CaseEvidence, Candidate, string | null]>([
    ["is spoken against where another place fits three times as well", seen(), accused(-3.1), "its place"],
    ["is not where its place fits", seen(), accused(-1.2), null],
    ["is not where something beside its time speaks for it", seen(), accused(-3.1, [grows]), null],
    ["is not where its version is told from the old one", seen(), accused(-3.1, [told]), null],
  ])("%s", (_, evidence, candidate, said) => expect(spokenAgainst(deploy, candidate, evidence)).toBe(said));
});
