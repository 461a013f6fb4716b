import { describe, expect, it } from "vitest";
import { assess, createAssessor } from "../../../core/assessment/assessor.ts";
import { caseAt } from "./case-at.ts";
import { testConfig } from "./config.ts";
import { base, live, noBank, shop, type Trap, walk } from "./trap.ts";
import { createWorld, deploy, type Effect, type WorldOptions } from "./world.ts";

/** The machine under all of them is short of time: every service answers late, each by its own factor, none fails. */
const slowness = (fromS: number, toS: number, services: readonly string[] = Object.keys(shop)): Effect[] =>
  services.map((service, i) => ({ service, fromS, toS, latency: 2 + (i % 3), spread: 0 }));
const failing = (service: string, fromS: number, rampS = 60): Effect => ({ service, fromS, errors: 0.33, rampS });
const wide = {
  services: { ...shop, search: { rate: 70 }, mail: { rate: 30 }, ads: { rate: 50 } },
  edges: [...base.edges, ["gateway", "search"], ["web", "ads"]] as const,
  external: ["bank"],
};
/** The same without the bank: then all that is called is measured. */
const measuredWide = { ...noBank, edges: [...noBank.edges, ["gateway", "search"], ["web", "ads"]] as const };
const liveShop = { ...wide, stepS: 1, historyS: 60, minutes: 4 } as const;
const everybody = Object.keys(wide.services);

const TRAPS: readonly Trap[] = [
  [
    "takes a bad deploy back while everything is slow",
    { ...base, ...noBank, changes: [deploy("pay", 300)], effects: [failing("pay", 310), ...slowness(300, 480)] },
    "rollback",
    "deploy-pay-300",
  ],
  [
    "takes a bad deploy back when a slowness began a minute before it and passes",
    {
      ...wide,
      ...measuredWide,
      changes: [deploy("pay", 300)],
      effects: [failing("pay", 310), ...slowness(240, 390, everybody)],
    },
    "rollback",
    "deploy-pay-300",
  ],
  [
    "takes a bad deploy back that few others are slow beside, live",
    {
      ...liveShop,
      ...measuredWide,
      changes: [deploy("pay", 60, {}, 20)],
      effects: [failing("pay", 63, 15), ...slowness(60, 75, ["ads", "search", "stock"])],
    },
    "rollback",
    "deploy-pay-60",
  ],
  [
    "takes a bad deploy back while everything is slow, live",
    {
      ...liveShop,
      ...measuredWide,
      changes: [deploy("pay", 60, {}, 20)],
      effects: [failing("pay", 63, 15), ...slowness(58, 90, everybody)],
    },
    "rollback",
    "deploy-pay-60",
  ],
  [
    "takes the guilty of two deploys back while everything is slow",
    {
      ...wide,
      ...measuredWide,
      changes: [deploy("search", 285), deploy("pay", 300)],
      effects: [failing("pay", 310), ...slowness(285, 420, everybody)],
    },
    "rollback",
    "deploy-pay-300",
  ],
  [
    "leaves an innocent deploy alone when everything turns slow just after it",
    { ...wide, changes: [deploy("pay", 300)], effects: slowness(320, 1200, everybody) },
    "no_action",
  ],
  [
    "leaves an innocent deploy alone when everything turns slow for a while, live",
    { ...liveShop, changes: [deploy("pay", 60, {}, 20)], effects: slowness(66, 120, everybody) },
    "no_action",
  ],
  [
    "leaves an innocent deploy alone when everything fails just after it",
    {
      ...wide,
      changes: [deploy("pay", 300)],
      effects: everybody.map((service) => ({ service, fromS: 320, errors: 0.2, spread: 0 })),
    },
    "no_action",
  ],
  [
    "leaves an innocent deploy alone when everything fails and is slow just after it",
    {
      ...wide,
      changes: [deploy("pay", 300)],
      effects: everybody.map((service) => ({ service, fromS: 320, errors: 0.2, latency: 3, spread: 0 })),
    },
    "no_action",
  ],
  [
    "leaves an innocent deploy alone when another service fails while everything is slow",
    { ...wide, changes: [deploy("ads", 300)], effects: [failing("pay", 320), ...slowness(300, 480, everybody)] },
    "no_action",
  ],
  [
    "takes a deploy back that is slow itself while others are mildly so",
    {
      ...wide,
      changes: [deploy("cart", 300)],
      effects: [
        { service: "cart", fromS: 310, latency: 6, rampS: 60 },
        ...["pay", "ads", "mail"].map((service) => ({ service, fromS: 315, toS: 600, latency: 1.5, spread: 0 })),
      ],
    },
    "rollback",
    "deploy-cart-300",
  ],
  [
    "takes a leak back while others are slow now and then, live",
    {
      ...liveShop,
      changes: [deploy("pay", 40, {}, 10)],
      effects: [{ service: "pay", fromS: 50, leak: 0.5, spread: 0 }, ...slowness(66, 72, ["ads", "search", "mail"])],
    },
    "rollback",
    "deploy-pay-40",
  ],
];

describe("two troubles at once", () => {
  for (const [name, options, action, culprit] of TRAPS) it(name, () => walk(options, action, culprit));
});

describe("what is only slow beside the trouble", () => {
  const effects = [failing("pay", 310)];
  const world: WorldOptions = { ...wide, changes: [deploy("pay", 300)], effects };
  const affected = async (options: WorldOptions, seconds: number) =>
    assess(await caseAt(options, seconds), testConfig()).answers.check_affected_services?.services ?? [];

  it("is not counted among the affected services", async () => {
    const noisy = { ...world, effects: [...effects, ...slowness(300, 600, ["ads", "search", "mail", "stock"])] };
    const [calm, slow] = [await affected(world, 400), await affected(noisy, 400)];
    expect(calm).toContain("pay");
    expect(slow).toEqual(calm);
  });

  it("lends its onset to nothing graver", async () => {
    const noisy = { ...world, effects: [...effects, ...slowness(210, 600, everybody)] };
    const found = assess(await caseAt(noisy, 420), testConfig()).answers.identify_recent_deployments?.onset;
    const [from, to] = [createWorld(world).startAt + 290_000, createWorld(world).startAt + 350_000];
    expect(found?.at).toBeGreaterThanOrEqual(from);
    expect(found?.at).toBeLessThanOrEqual(to);
  });
});

describe("a leak that was found", () => {
  it("stays found at every tick until it reaches its limit, and whoever starts afresh finds it as well", async () => {
    const world = createWorld({
      ...live,
      minutes: 3,
      seed: 3,
      effects: [{ service: "stock", fromS: 20, leak: 0.3, spread: 0 }, ...slowness(40, 60, ["web", "cart"])],
    });
    const config = testConfig({ watch: { stepMs: 1000 } });
    const assessor = createAssessor({ sources: world.sources, config });
    const { signal } = new AbortController();
    const leaks = (findings: Awaited<ReturnType<typeof assessor.tick>>["findings"]) =>
      findings.filter(({ detector, service }) => detector === "drift" && service === "stock");
    let first: number | null = null;
    for (let s = 0; s <= 125; s++) {
      world.now = world.startAt + s * 1000;
      const found = leaks((await assessor.tick(world.now, signal)).findings);
      if (found.length > 0) first ??= s;
      if (first === null) continue;
      expect([s, found.length]).toEqual([s, 1]);
      if (s % 5 !== 0) continue;
      const fresh = createAssessor({ sources: world.sources, config });
      expect([s, leaks((await fresh.tick(world.now, signal)).findings)]).toEqual([s, found]);
    }
    expect(first).not.toBeNull();
    expect(first).toBeLessThan(60);
  });
});
