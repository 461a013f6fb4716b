import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evidenceAbout, partition } from "../../../core/assessment/partition.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { MINUTE, T0 } from "../correlation/fixtures.ts";
import { at, caseOf, deployed, failing, groups, measured, names, SECOND, type World } from "./fleet-case.ts";

describe("services that are measured and well", () => {
  /** Four of six fail at one second, one of which was deployed; samples come every quarter of a minute. */
  const wide: World = { fails: at(names(4), 0), changes: [deployed("s000", -10)], healthy: ["x", "y"] };
  const coarse = (service: string, stepMs: number): CaseFile["series"][number] => {
    const [one] = measured([service]);
    if (one === undefined) throw new Error("nothing is measured");
    return { ...one, stepMs, values: one.values.slice(0, Math.floor((160 * 15 * SECOND) / stepMs)) };
  };

  it.each([1, 5])("change no group where their samples come every %s minutes", (minutes) => {
    const file = caseOf(wide);
    const beside = { ...file, series: [...file.series, coarse("batch", minutes * MINUTE)] };
    const services = (one: CaseFile) => partition(one).map((group) => group.services);
    expect(services(file)).toEqual([names(4)]);
    expect(services(beside)).toEqual(services(file));
  });

  it("change no group and nothing that is known of one, however many they are, but for how many are measured", () => {
    const worlds = fc.record({
      fails: fc.dictionary(fc.constantFrom(...names(6)), fc.integer({ min: 0, max: 90 }), { minKeys: 2 }),
      deploys: fc.uniqueArray(fc.constantFrom(...names(6))),
      isJoined: fc.boolean(),
      more: fc.integer({ min: 1, max: 60 }),
    });
    const known = (world: World) =>
      partition(caseOf(world)).map(({ services, beside }) => {
        const { coincidence, meeting } = beside;
        const unmeasured = [coincidence, meeting].map((one) => (one == null ? null : { ...one, measured: 0 }));
        return { services, beside: { ...beside, coincidence: unmeasured[0], meeting: unmeasured[1] } };
      });
    fc.assert(
      fc.property(worlds, ({ fails, deploys, isJoined, more }) => {
        const edges = isJoined ? names(6).map((one) => ["web", one] as const) : [];
        const world: World = { fails, edges, changes: deploys.map((one) => deployed(one, -10)) };
        const healthy = names(more).map((one) => `well-${one}`);
        expect(known({ ...world, healthy })).toEqual(known(world));
      }),
      { numRuns: 60 },
    );
  });
});

describe("a service that is deployed in the first minute of a wide cause", () => {
  const reached = at(names(6), 0);
  const beside = (deployedS: number, failsS: number): World => ({
    fails: { ...reached, late: failsS },
    changes: [deployed("late", deployedS)],
    healthy: ["x", "y"],
  });

  it("is an incident of its own, with the coincidence beside it, where it was changed only after the others began", () => {
    expect(groups(beside(20, 40))).toEqual([names(6).join("+"), "late"]);
    expect(evidenceAbout(caseOf(beside(20, 40)), ["late"]).coincidence?.services).toBe(6);
  });

  it("is one of those reached where it was changed before them", () =>
    expect(groups(beside(-10, 10))).toEqual([["late", ...names(6)].join("+")]));

  it("does not become its own for what began long before at one of them", () => {
    const world = beside(-10, 10);
    const file = caseOf(world);
    const older = { ...failing("s000", -900), metric: "p99_latency", unit: "ms", strength: 60 };
    const [one] = measured(["s000"]);
    const series = one === undefined ? [] : [{ ...one, metric: "p99_latency", unit: "ms" }];
    const chronic = { ...file, findings: [...file.findings, older], series: [...file.series, ...series] };
    expect(partition(chronic).map(({ services }) => services.join("+"))).toEqual([["late", ...names(6)].join("+")]);
  });
});

describe("siblings that were each deployed and began in one moment", () => {
  const edges = ["cart", "stock"].map((callee) => ["web", callee] as const);
  const changes = ["cart", "stock"].map((one) => deployed(one, -10));
  const siblings = (stockS: number, more: World["fails"] = {}) => {
    const file = caseOf({ edges, fails: { cart: 0, web: 2, stock: stockS, ...more }, changes });
    return evidenceAbout(file, ["cart", "web"]).siblings;
  };

  it("are apart, and each is known to the other with how often they would by chance", () => {
    expect(groups({ edges, fails: { cart: 0, web: 2, stock: 3 }, changes })).toEqual(["cart+web", "stock"]);
    expect(siblings(3)?.services).toEqual(["stock"]);
    expect(siblings(3)?.byChance).toBeLessThan(0.1);
  });

  it("are nothing to each other where they began minutes apart", () => expect(siblings(240)).toBeUndefined());

  it("are as much to each other whatever fails in other call graphs", () =>
    expect(siblings(3, { other: 0, another: -300 })).toEqual(siblings(3)));
});

describe("a deployed service that begins after two others, in call graphs of their own and changed by nobody", () => {
  const edges = [...names(3), "cart"].map((one) => [one, `${one}-db`] as const);
  const beside = (fails: World["fails"], changes = [deployed("cart", -30)]) =>
    evidenceAbout(caseOf({ edges, fails: { ...fails, cart: 0 }, changes }), ["cart"]).siblings;

  it("may be the next that one cause reached, where less than a minute lies between one and the next", () =>
    expect(beside({ s000: -110, s001: -55 })).toMatchObject({ services: ["s000", "s001"], withinMs: 110 * SECOND }));

  it.each<[string, World["fails"]]>([
    ["minutes lie between them", { s000: -600, s001: -300 }],
    ["only one of them begins then", { s001: -55 }],
  ])("is judged by itself where %s", (_, fails) => expect(beside(fails)).toBeUndefined());

  it("is judged by itself where each of the others was deployed as well", () =>
    expect(
      beside({ s000: -110, s001: -55 }, [deployed("cart", -30), deployed("s000", -140), deployed("s001", -85)]),
    ).toBeUndefined());
});

describe("five services in call graphs of their own that were each deployed and began in one moment", () => {
  const STEP_MS = 15 * SECOND;
  const five = names(5);
  const world: World = { fails: at(five, 0), changes: five.map((one) => deployed(one, -10)) };
  /** Both versions of a service side by side for two minutes, of which the new one alone fails. */
  const told = (service: string): CaseFile["series"] =>
    [
      ["error_rate", 0.6, 0.002],
      ["request_rate", 40, 40],
    ].flatMap(([metric, fresh, old]) =>
      [fresh, old].map((value, i) => ({
        ...{ service, metric: String(metric), unit: "", worse: "up" as const, labels: { version: `v1.${1 - i}.0` } },
        ...{ startAt: T0, stepMs: STEP_MS, values: Array.from({ length: 8 }, () => Number(value)) },
      })),
    );
  const meeting = (toldOf: readonly string[]) => {
    const file = caseOf(world);
    return evidenceAbout({ ...file, series: [...file.series, ...toldOf.flatMap(told)] }, ["s002"]).meeting;
  };

  it("may have one cause that none of the deploys is", () => expect(meeting([])?.services).toBe(5));

  it("say nothing of each other where the new versions of the others alone fail", () =>
    expect(meeting(["s000", "s001", "s003", "s004"])).toBeUndefined());
});
