import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { atS, deploy } from "../assessment/world.ts";
import { change, emptyCase, line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const bad = {
  ...base,
  changes: [deploy("cart", 300), deploy("pay", 200)],
  effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
};
const ranking = (file: CaseFile) => {
  const found = assess(file, testConfig()).answers.correlate_timing?.ranking;
  if (found === undefined) throw new Error("nothing was ranked");
  return found;
};
const probability = (file: CaseFile, id: string) =>
  ranking(file).candidates.find(({ changeId }) => changeId === id)?.probability ?? 0;

describe("probabilities", () => {
  it("of all candidates and of no change sum to 1, whatever the candidates", () => {
    const lag = fc.integer({ min: -20 * MINUTE, max: 60 * MINUTE });
    fc.assert(
      fc.property(fc.array(lag, { maxLength: 8 }), (lags) => {
        const changes = lags.map((by, i) =>
          change({ id: `c${i}`, service: `s${i % 3}`, startedAt: T0 - by, finishedAt: T0 - by + MINUTE }),
        );
        const options = { versionLabel: "version", windowMs: 30 * MINUTE };
        const file = emptyCase({ changes });
        const { candidates, noChangeProbability } = rankCandidates(file, changes, onsetAt(T0), new Set(), options);
        const sum = candidates.reduce((total, one) => total + one.probability, noChangeProbability);
        expect(sum).toBeCloseTo(1, 9);
        expect(noChangeProbability).toBeGreaterThan(0);
      }),
    );
  });

  it("are kept with reasons that add up to the odds between any two candidates", async () => {
    const [first, second] = ranking(await caseAt(bad, 400)).candidates;
    const odds = (one: typeof first) => one?.reasons.reduce((sum, { logOdds }) => sum + logOdds, 0) ?? 0;
    expect(Math.log((first?.probability ?? 1) / (second?.probability ?? 1))).toBeCloseTo(odds(first) - odds(second), 6);
    for (const { sentence } of first?.reasons ?? []) expect(sentence.length).toBeGreaterThan(10);
  });
});

describe("what does not matter", () => {
  it("the names of services and changes", async () => {
    const file = await caseAt(bad, 430);
    const rename = (name: string) => `x-${[...name].reverse().join("")}`;
    const renamed: CaseFile = {
      ...file,
      series: file.series.map((one) => ({ ...one, service: rename(one.service) })),
      findings: file.findings.map((one) => ({ ...one, service: rename(one.service) })),
      conditions: file.conditions.map((one) => ({ ...one, service: rename(one.service) })),
      changes: file.changes.map((one) => ({ ...one, id: rename(one.id), service: rename(one.service) })),
      topology: {
        edges: (file.topology?.edges ?? []).map(([a, b]) => [rename(a), rename(b)] as const),
        external: (file.topology?.external ?? []).map(rename),
      },
    };
    const [was, is] = [ranking(file), ranking(renamed)];
    expect(is.candidates.map(({ probability: p }) => p)).toEqual(
      was.candidates.map(({ probability: p }) => expect.closeTo(p, 9)),
    );
    expect(is.candidates[0]?.changeId).toBe(rename(was.candidates[0]?.changeId ?? ""));
  });

  it("a service that is well and that nobody calls", async () => {
    const more = { ...bad, services: { ...bad.services, bystander: { rate: 50 } } };
    const [was, is] = [assess(await caseAt(bad, 460), testConfig()), assess(await caseAt(more, 460), testConfig())];
    expect(is.decision.action).toBe(was.decision.action);
    expect(is.decision.changeIds).toEqual(was.decision.changeIds);
  });
});

describe("each kind of evidence by itself", () => {
  const twins = {
    ...base,
    changes: [deploy("cart", 300), deploy("cart", 300, { id: "config-cart", kind: "config", from: "a", to: "b" })],
    effects: [{ service: "cart", fromS: 310, errors: 0.3, rampS: 110 }],
  };

  it("logs: an error that the new version alone writes speaks for it", async () => {
    const logs = [1, 2, 3].map((i) => ({
      atS: 320 + i,
      service: "cart",
      message: `NullPointer at Cart.total ${i}`,
      version: "v1.1.0",
    }));
    const [silent, told] = [await caseAt(twins, 400), await caseAt({ ...twins, logs }, 400)];
    expect(probability(told, "deploy-cart-300")).toBeGreaterThan(probability(silent, "deploy-cart-300") + 0.2);
  });

  it("logs: an error that the new version writes says little where no other version serves any more", () => {
    const deployed = change({ startedAt: T0 - 20 * MINUTE, finishedAt: T0 - 18 * MINUTE });
    const logs = [1, 2, 3].map((i) => line(T0 + i * 1000, `NullPointer at Cart.total ${i}`, { version: deployed.to }));
    const reasonAt = (onset: number) => {
      const options = { versionLabel: "version", windowMs: 30 * MINUTE };
      const file = emptyCase({ changes: [deployed], logs });
      const { candidates } = rankCandidates(file, [deployed], onsetAt(onset), new Set(), options);
      return candidates[0]?.reasons.find(({ name }) => name === "logs")?.logOdds ?? 0;
    };
    expect(reasonAt(T0)).toBeCloseTo(Math.LN2, 6);
    expect(reasonAt(T0 - 19 * MINUTE)).toBeGreaterThan(Math.log(4));
  });

  it("logs: an error that names a flag speaks for the flag", async () => {
    const flag = { id: "flag", kind: "flag" as const, flag: "fast-cart", from: "off", to: "on", finishedAt: atS(301) };
    const world = { ...base, effects: twins.effects, changes: [deploy("cart", 300), deploy("cart", 300, flag)] };
    const logs = [1, 2].map((i) => ({ atS: 320 + i, service: "cart", message: `TypeError in branch fast-cart ${i}` }));
    const [silent, told] = [await caseAt(world, 400), await caseAt({ ...world, logs }, 400)];
    expect(probability(told, "flag")).toBeGreaterThan(probability(silent, "flag"));
  });

  it("versions: the new one failing alone speaks for it, both failing alike against it", async () => {
    const split = (oldErrors: number) => ({
      ...twins,
      versions: [
        {
          service: "cart",
          fromS: 300,
          toS: 420,
          old: "v1.0.0",
          fresh: "v1.1.0",
          share: (s: number) => (s - 300) / 120,
          oldErrors,
          freshErrors: 0.3,
        },
      ],
    });
    const [alone, alike] = [await caseAt(split(0.002), 400), await caseAt(split(0.3), 400)];
    expect(probability(alone, "deploy-cart-300")).toBeGreaterThan(0.9);
    expect(probability(alike, "deploy-cart-300")).toBeLessThan(0.1);
  });

  it("traces: failed leaf calls point at the service where they start", async () => {
    const file = await caseAt(
      { ...bad, effects: [{ service: "pay", fromS: 310, errors: 0.3, rampS: 110, spread: 1 }] },
      430,
    );
    const spans = Array.from({ length: 40 }, (_, i) => [
      {
        traceId: `t${i}`,
        spanId: "a",
        service: "checkout",
        name: "buy",
        startUs: atS(400 + i / 2) * 1000,
        durationUs: 9,
        error: true,
      },
      {
        traceId: `t${i}`,
        spanId: "b",
        parentId: "a",
        service: "pay",
        name: "charge",
        startUs: atS(400 + i / 2) * 1000,
        durationUs: 5,
        error: true,
      },
    ]).flat();
    const blind: CaseFile = { ...file, topology: null };
    const score = (one: CaseFile) => ranking(one).rootCauses.find(({ service }) => service === "pay")?.score ?? 0;
    expect(score({ ...blind, spans })).toBeGreaterThan(score(blind));
    expect(ranking({ ...blind, spans }).rootCauses[0]?.service).toBe("pay");
  });

  it("the call graph: the caller that only suffers is not blamed", async () => {
    const world = {
      ...base,
      changes: [deploy("gateway", 305), deploy("stock", 300)],
      effects: [{ service: "stock", fromS: 310, errors: 0.3, rampS: 110 }],
    };
    const file = await caseAt(world, 430);
    expect(probability(file, "deploy-stock-300")).toBeGreaterThan(20 * probability(file, "deploy-gateway-305"));
    expect(ranking(file).rootCauses[0]?.service).toBe("stock");
  });

  it("memory: what was to blame before is likelier, a little", () => {
    const changes = [change({ id: "a", service: "cart" }), change({ id: "b", service: "pay" })];
    const past = new Map([["pay/deploy", { changes: 4, bad: 3 }]]);
    const options = { versionLabel: "version", windowMs: 30 * MINUTE, past };
    const { candidates } = rankCandidates(emptyCase({ changes }), changes, onsetAt(T0 + 30_000), new Set(), options);
    expect(candidates[0]?.changeId).toBe("b");
    expect(candidates[0]?.probability).toBeLessThan(3 * (candidates[1]?.probability ?? 0));
  });

  it("its own rollbacks are no candidates", () => {
    const changes = [change({ ownRollback: true })];
    const options = { versionLabel: "version", windowMs: 30 * MINUTE };
    const found = rankCandidates(emptyCase({ changes }), changes, onsetAt(T0 + 30_000), new Set(), options);
    expect(found).toMatchObject({ candidates: [], noChangeProbability: 1 });
  });
});
