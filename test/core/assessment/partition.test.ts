import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import { evidenceAbout, partition } from "../../../core/assessment/partition.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { at, caseOf, deployed, groups, names, type World } from "./fleet-case.ts";
import { base, walk } from "./trap.ts";
import { deploy, type WorldOptions } from "./world.ts";

describe("incidents are apart", () => {
  const CASES: readonly (readonly [string, World, readonly string[]])[] = [
    ["where no call joins them, though they begin together", { fails: { a: 0, b: 0 } }, ["a", "b"]],
    [
      "where their call graphs are apart",
      {
        edges: [
          ["web", "cart"],
          ["till", "ledger"],
        ],
        fails: { web: 0, cart: 0, till: 0, ledger: 0 },
      },
      ["cart+web", "ledger+till"],
    ],
    [
      "where a callee of what failed before is broken by its own deploy",
      { edges: [["web", "cart"]], fails: { web: 0, cart: 120 }, changes: [deployed("cart", 110)] },
      ["web", "cart"],
    ],
    [
      "where siblings below one caller fail while each is deployed, and the caller stands with the first",
      {
        edges: ["cart", "stock", "offers"].map((callee) => ["web", callee] as const),
        fails: { cart: 0, stock: 4, offers: 8, web: 2 },
        changes: ["cart", "stock", "offers"].map((one, i) => deployed(one, 4 * i - 5)),
      },
      ["cart+web", "stock", "offers"],
    ],
    [
      "where a caller suffers from two callees, the second of which was deployed and broken minutes later",
      {
        edges: [
          ["web", "cart"],
          ["web", "stock"],
        ],
        fails: { cart: 0, web: 5, stock: 240 },
        changes: [deployed("cart", -5), deployed("stock", 235)],
      },
      ["cart+web", "stock"],
    ],
    [
      "where all that is wrong with one of them is a new revision that does not become ready",
      { edges: [["web", "cart"]], fails: { web: 0 }, stuck: { cart: 5 }, changes: [deployed("cart", 5)] },
      ["web", "cart"],
    ],
    [
      "each of five that start together, each with a change of its own",
      { fails: at(names(5), 0), changes: names(5).map((one) => deployed(one, -10)), healthy: ["x", "y"] },
      names(5),
    ],
    [
      "and three that begin minutes apart are three, whoever is well beside them",
      { fails: { a: 0, b: 120, c: 240 }, healthy: names(20) },
      ["a", "b", "c"],
    ],
  ];
  it.each(CASES)("%s", (_, world, expected) => expect(groups(world)).toEqual(expected));
});

it("new pods that do not become ready are judged without what they do not call, degraded now or mended meanwhile", () => {
  const edges = [
    ["web", "cart"],
    ["web", "till"],
    ["cart", "stock"],
  ] as const;
  const world = { edges, fails: {}, stuck: { cart: 5 }, changes: [deployed("cart", 5), deployed("till", 0)] };
  const [group] = partition(caseOf({ ...world, healthy: ["web", "till", "cart", "stock"] }));
  expect(group).toEqual({
    services: ["cart"],
    beside: { apart: ["till", "web"], unreached: ["till", "web"] },
  });
  const scope = evidenceAbout(caseOf({ ...world, healthy: ["web", "till", "cart", "stock"] }), ["cart"]);
  expect(scope.changes.map(({ service }) => service)).toEqual(["cart"]);
  const failing = { ...world, fails: { cart: 5 }, healthy: ["web", "till", "stock"] };
  expect(partition(caseOf(failing))[0]?.beside.apart).toEqual([]);
});

describe("incidents are one", () => {
  const CASES: readonly (readonly [string, World, readonly string[]])[] = [
    [
      "where new pods that do not become ready call what fails, which may hold them up",
      {
        edges: [["orders", "pricing"]],
        fails: { pricing: 0 },
        stuck: { orders: 5 },
        changes: [deployed("orders", 5), deployed("pricing", -5)],
      },
      ["orders+pricing"],
    ],
    ["where one calls the other", { edges: [["web", "cart"]], fails: { web: 15, cart: 0 } }, ["cart+web"]],
    [
      "where both call what nobody measures",
      {
        edges: [
          ["web", "db"],
          ["jobs", "db"],
        ],
        fails: { web: 0, jobs: 60 },
      },
      ["jobs+web"],
    ],
    [
      "where siblings that were both deployed call one thing below them",
      {
        edges: [
          ["web", "cart"],
          ["web", "stock"],
          ["cart", "db"],
          ["stock", "db"],
        ],
        fails: { cart: 0, stock: 4 },
        changes: [deployed("cart", -5), deployed("stock", -5)],
        healthy: ["web", "db"],
      },
      ["cart+stock"],
    ],
    [
      "where the caller that began later was changed in between, since what it calls failed before",
      { edges: [["web", "cart"]], fails: { web: 120, cart: 0 }, changes: [deployed("web", 110)] },
      ["cart+web"],
    ],
    [
      "where a large part of all that is measured begins at one onset, changed by nobody",
      { fails: at(names(33), 0), healthy: names(100).slice(33) },
      [names(33).join("+")],
    ],
    [
      "with those among them that were freshly deployed, where nothing tells their versions apart",
      {
        fails: at(names(33), 0),
        healthy: names(100).slice(33),
        changes: names(10).map((one) => deployed(one, -100)),
      },
      [names(33).join("+")],
    ],
  ];
  it.each(CASES)("%s", (_, world, expected) => expect(groups(world)).toEqual(expected));
});

describe("what nothing joins to an incident", () => {
  it("is no part of its evidence: any number of services and deploys elsewhere leave it as it is", () => {
    const alone: World = { edges: [["web", "cart"]], fails: { web: 15, cart: 0 }, changes: [deployed("cart", -5)] };
    const lone: World = { fails: { lone: 0 }, changes: [deployed("lone", -5)] };
    const elsewhere = fc.record({
      n: fc.integer({ min: 1, max: 40 }),
      measured: fc.boolean(),
      joined: fc.boolean(),
      fails: fc.option(fc.integer({ min: -300, max: 300 })),
    });
    fc.assert(
      fc.property(elsewhere, fc.constantFrom(alone, lone), ({ n, measured, joined, fails }, world) => {
        const others = names(n).map((one) => `other-${one}`);
        const edges = joined ? others.slice(1).map((one, i) => [others[i] ?? one, one] as const) : [];
        const with_ = caseOf({
          edges: [...(world.edges ?? []), ...edges],
          fails: { ...world.fails, ...(fails === null ? {} : { "other-s000": fails }) },
          changes: [...(world.changes ?? []), ...others.map((one, i) => deployed(one, -10 * i))],
          healthy: measured ? others : [],
        });
        const services = Object.keys(world.fails).sort();
        const { elsewhere: _, ...about } = evidenceAbout(with_, services);
        expect(about).toEqual(evidenceAbout(caseOf(world), services));
      }),
    );
  });
});

/** Services of a shop, of which nobody knows who calls whom. */
const unknown = { ...base, edges: [], external: [] } as const;
const failsFrom = (service: string, fromS: number) => ({ service, fromS, errors: 0.35, spread: 0 });
const byVersion = (service: string, freshErrors: number, oldErrors: number) => [
  {
    service,
    fromS: 300,
    toS: 420,
    old: "v1.0.0",
    fresh: "v1.1.0",
    share: (s: number) => Math.min(1, Math.max(0, s - 300) / 120),
    oldErrors,
    freshErrors,
  },
];

describe("a service of which nobody knows what it calls", () => {
  const own = deploy("cart", 300);
  const elsewhere = (n: number, measured: boolean) =>
    Array.from({ length: n }, (_, i) =>
      deploy(measured ? (["web", "gateway", "pay", "stock"][i % 4] ?? "web") : `unmeasured-${i}`, 60 + i * 12, {
        id: `elsewhere-${i}`,
      }),
    );
  const guilty: WorldOptions = {
    ...unknown,
    changes: [own],
    effects: [{ ...failsFrom("cart", 300), rampS: 120 }],
    versions: byVersion("cart", 0.35, 0.003),
  };
  const innocent: WorldOptions = { ...unknown, changes: [own], effects: [failsFrom("cart", 305)] };

  it("is rolled back where its new version fails and its old one does not", () =>
    walk(guilty, "rollback", "deploy-cart-300"));

  it.each([
    [10, true],
    [20, false],
    [100, false],
  ])("is rolled back as surely with %i deploys elsewhere (measured: %s)", (n, measured) =>
    walk({ ...guilty, changes: [own, ...elsewhere(n, measured)] }, "rollback", "deploy-cart-300"),
  );

  it("is as sure with deploys elsewhere as without", async () => {
    const sure = async (changes: WorldOptions["changes"]) => {
      const { answers } = assess(await caseAt({ ...guilty, changes: changes ?? [] }, 400), testConfig(), ["cart"]);
      return answers.correlate_timing?.ranking.candidates[0];
    };
    const { answers } = assess(
      await caseAt({ ...guilty, changes: [own, ...elsewhere(40, false)] }, 400),
      testConfig(),
      ["cart"],
    );
    expect(answers.correlate_timing?.ranking.candidates).not.toHaveLength(1);
    expect(await sure([own, ...elsewhere(40, false)])).toEqual(await sure([own]));
  });

  it("is not rolled back by the time of its deploy alone, however near", () => walk(innocent, "no_action"));

  it("is not rolled back where both versions fail alike", () =>
    walk({ ...innocent, versions: byVersion("cart", 0.35, 0.35) }, "no_action"));

  it("is not rolled back by its time alone whatever confidence is configured", async () => {
    const config = testConfig();
    const chain = config.chain.map((one) =>
      one.step === "correlate_timing" ? { ...one, confidenceThreshold: 0.3 } : one,
    );
    const { decision } = assess(
      await caseAt({ ...innocent, changes: [deploy("cart", 300, {}, 5)] }, 420),
      { ...config, chain },
      ["cart"],
    );
    expect(decision).toMatchObject({ action: "no_action", culprit: { changeId: "deploy-cart-300" } });
    expect(decision.needsPerson.join()).toContain("needs a person");
  });
});
