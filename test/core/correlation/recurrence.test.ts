import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { type PastOnset, pastOnsets, timesAsOften } from "../../../core/correlation/recurrence.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { noBank, shop } from "../assessment/trap.ts";
import { atS, deploy } from "../assessment/world.ts";
import { MINUTE, T0 } from "./fixtures.ts";

const HOUR = 60 * MINUTE;
const FROM_S = 600;
/** Stock fails a fifth of its requests, two minutes after its deploy; when it did so before, minutes before that. */
const world = {
  services: shop,
  ...noBank,
  effects: [{ service: "stock", fromS: FROM_S, errors: 0.2 }],
};
const signal = (service: string, metric: string, gravity: number): PastOnset["signals"] =>
  new Map([[`${service} ${metric}`, gravity]]);
const earlier = (minutes: readonly number[], signals = signal("stock", "error_rate", 1)): readonly PastOnset[] =>
  minutes.map((ago) => ({ at: atS(FROM_S) - ago * MINUTE, until: atS(FROM_S) - (ago - 5) * MINUTE, signals }));
const file = caseAt({ ...world, changes: [deploy("stock", FROM_S - 120, { id: "deploy-stock" }, 30)] }, FROM_S + 45);
const suspicion = async (alone?: readonly PastOnset[]) => {
  const { decision, answers } = assess(await file, testConfig(), undefined, alone === undefined ? {} : { alone });
  const found = answers.correlate_timing?.ranking.candidates.find((one) => one.changeId === "deploy-stock");
  return {
    p: found?.probability ?? 0,
    undone: decision.changeIds,
    reasons: found?.reasons.map(({ sentence }) => sentence),
  };
};

describe("a deploy before a degradation like those that came and went by themselves", () => {
  it("is left to people, where it would be undone by its time alone", async () => {
    expect((await suspicion()).undone).toEqual(["deploy-stock"]);
    const again = await suspicion(earlier([24, 16, 8]));
    expect(again.undone).toEqual([]);
    expect(again.reasons).toContain("error_rate of stock degraded 3 times in the 24m before, without a culprit change");
  });

  const rows: readonly (readonly [string, readonly PastOnset[]])[] = [
    ["there was none", []],
    ["another service degraded", earlier([24, 16, 8], signal("pay", "error_rate", 1))],
    ["another signal of it degraded", earlier([24, 16, 8], signal("stock", "p99_latency", 1))],
    ["it was far less off", earlier([24, 16, 8], signal("stock", "error_rate", 0.1))],
    ["it degraded since the deploy, which may have brought that as well", earlier([0.9, 0.5, 0.2])],
  ];
  it.each(rows)("is suspected as ever where %s", async (_, alone) => {
    expect(await suspicion(alone)).toEqual(await suspicion());
  });
});

describe("how many times as often a service degrades by itself", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 8 });
  const at = (minutes: readonly number[]) => {
    let time = T0;
    const past = minutes.map((gap) => {
      time -= gap * MINUTE;
      return { at: time, until: time };
    });
    return past.reverse();
  };

  it("is as the priors have it where it never did", () => {
    expect(timesAsOften([], T0, HOUR)).toBe(1);
  });

  it("is never less than that, and never more than as often as it was seen to in the time", () => {
    fc.assert(
      fc.property(gaps, (minutes) => {
        const times = timesAsOften(at(minutes), T0, HOUR);
        const usual = (0.3 / 0.7) * 0.1 * 1.5;
        expect(times).toBeGreaterThanOrEqual(1);
        expect(times).toBeLessThanOrEqual(1 + minutes.length / usual);
      }),
    );
  });

  it("is less the longer ago it was", () => {
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 600 }), (minutes, later) => {
        const past = at(minutes);
        expect(timesAsOften(past, T0 + later * MINUTE, HOUR)).toBeLessThanOrEqual(timesAsOften(past, T0, HOUR) + 1e-9);
      }),
    );
  });

  it("is more with each return within the hour", () => {
    const each = [1, 2, 3, 4, 5].map((n) => timesAsOften(at(Array.from({ length: n }, () => 10)), T0, HOUR));
    expect(each).toEqual(each.toSorted((a, b) => a - b));
    expect(each[2]).toBeGreaterThan(20);
  });
});

describe("earlier incidents that count as degradations without a change", () => {
  const ranking = (noChangeProbability: number) => ({
    candidates: [],
    noChangeProbability,
    noChangeReasons: [],
    rootCauses: [],
  });
  const incident = (replaced: Partial<Incident> = {}): Incident =>
    ({
      onset: { at: T0, earliest: T0, latest: T0 },
      closedAt: T0 + 5 * MINUTE,
      outcome: "no-action",
      ranking: ranking(1),
      signals: [{ service: "stock", metric: "error_rate", usual: 0, bad: 0.2, well: 10 }],
      unverified: [],
      unheard: [],
      ...replaced,
    }) as Incident;
  const rows: readonly (readonly [string, Partial<Incident>, number])[] = [
    ["one that ended by itself, with no change to blame", {}, 1],
    ["one that is open", { closedAt: null }, 0],
    ["one whose deploy was rolled back, which helped", { outcome: "recovered", ranking: ranking(0.01) }, 0],
    ["one whose deploy was rolled back in vain", { outcome: "not-recovered", ranking: ranking(0.1) }, 0],
    ["one whose plan nobody approved", { outcome: "expired", ranking: ranking(0.1) }, 0],
    ["one for which a change is suspected still", { ranking: ranking(0.8) }, 0],
    ["one for which a change was suspected when it was decided", { decidedRanking: ranking(0.5) }, 0],
    ["one that went on in another", { joined: "inc-2" }, 0],
    [
      "one about which a source of changes did not answer",
      { unheard: ["argocd did not say changes: no answer within 10 s"] },
      0,
    ],
    ["one of which it was not recorded whether all answered", { unheard: undefined }, 0],
    ["one about which another source did not answer", { unverified: ["loki: logs is unknown (timeout)"] }, 1],
  ];
  it.each(rows)("%s", (_, replaced, count) => {
    const found = pastOnsets([incident(replaced)]);
    expect(found).toHaveLength(count);
    for (const one of found) expect(one.signals.get("stock error_rate")).toBeCloseTo(1);
  });
});
