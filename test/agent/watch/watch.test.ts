import { describe, expect, it } from "vitest";
import type { Gap } from "../../../core/model/assessment.ts";
import { MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import type { Trouble } from "./trouble.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const A_WHILE = 20;
const HALF_HOUR = (30 * MINUTE) / STEP_MS;
const cart = targetOf({ name: "cart" });

/** Two open incidents that no change is the culprit for: of checkout, and two steps later of cart. */
async function twoBlameless(world: WatchWorld): Promise<readonly [Trouble, Trouble]> {
  const blameless = { action: "no_action", condition: "none", culprit: null, noChangeProbability: 0.9 } as const;
  const first = world.trouble(blameless);
  world.troubles = [first];
  await world.step(2);
  const second = world.trouble({ ...blameless, services: ["cart"] });
  world.troubles = [first, second];
  await world.step(2);
  return [first, second];
}

/** A world whose one incident has run its course: executed, and its verification ended so. */
async function ended(verdict: "recovered" | "not-recovered"): Promise<WatchWorld> {
  const world = await openWatchWorld();
  world.targets.place(cart);
  world.troubles = [world.trouble()];
  await world.step();
  world.recovery = verdict;
  await world.step();
  world.recovery = "pending";
  return world;
}

describe("which troubles are one incident", () => {
  it("two troubles that have nothing in common are two incidents, each taken back by its own plan", async () => {
    await using world = await openWatchWorld();
    world.targets.place(cart);
    world.troubles = [world.trouble(), world.trouble({}, cart)];
    await world.step(2);
    const incidents = await world.incidents();
    expect(incidents.map(({ service }) => service).sort()).toEqual(["cart", "checkout"]);
    expect(
      world.targets
        .writes()
        .map(({ object }) => object)
        .sort(),
    ).toEqual(["Deployment/production/cart", "Deployment/production/checkout"]);
  });

  it("services that the same cause hurts later join the incident", async () => {
    await using world = await openWatchWorld();
    const trouble = world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE });
    world.troubles = [trouble];
    await world.step(2);
    world.troubles = [{ ...trouble, services: ["checkout", "web", "gateway"] }];
    await world.step(2);
    expect((await world.incident()).affectedServices).toEqual(["checkout", "gateway", "web"]);
    expect(world.texts("incident.detected")).toHaveLength(1);
  });

  it("trouble that hurts nobody is one incident, however long it lasts", async () => {
    await using world = await openWatchWorld();
    const { assess } = world;
    world.assess = (file, focus) => {
      const said = assess(file, focus);
      const check_affected_services = { services: ["somebody-else"], origin: "shared infrastructure" };
      return { ...said, answers: { ...said.answers, check_affected_services } };
    };
    world.troubles = [
      world.trouble({ action: "no_action", condition: "none", culprit: null, noChangeProbability: 0.9 }),
    ];
    await world.step(A_WHILE);
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect((await world.incident()).affectedServices).toEqual(["somebody-else"]);
  });

  it("trouble elsewhere with the same cause joins the incident that stands, with no plan of its own", async () => {
    await using world = await openWatchWorld();
    const trouble = world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE });
    world.troubles = [trouble];
    await world.step(2);
    world.troubles = [trouble, { ...trouble, services: ["audit"] }];
    await world.step(A_WHILE);
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect((await world.incident()).timeline.map(({ detail }) => detail)).toContain("audit: the same cause");
  });

  it("what joins an incident that is looked at later in the same tick stays joined", async () => {
    await using world = await openWatchWorld();
    const [first, second] = await twoBlameless(world);
    // What is wrong with the first begins anew, so that the second is the older one now.
    const since = world.time.now;
    world.troubles = [{ ...first, since }, second];
    await world.step();
    const { action, culprit, noChangeProbability } = world.trouble();
    const guilty = {
      action,
      culprit,
      noChangeProbability,
      condition: "pending",
      firesAt: since + 30 * MINUTE,
    } as const;
    world.troubles = [
      { ...first, since, ...guilty },
      { ...second, ...guilty },
    ];
    await world.step(3);
    const open = world.watch.open();
    expect(open.map(({ service }) => service)).toEqual(["cart"]);
    expect(open[0]?.timeline.map(({ detail }) => detail)).toContain("checkout: the same cause");
  });

  it("two incidents that turn out to have one cause in the same look ask people once", async () => {
    await using world = await openWatchWorld();
    const [first, second] = await twoBlameless(world);
    // What is wrong with the first begins anew, so that the second is the older one; the first is looked at first.
    const { action, culprit, noChangeProbability, condition } = world.trouble();
    const needsPerson = ["checkout is listed under never_auto_rollback"];
    const guilty = { action, culprit, noChangeProbability, condition, needsPerson, since: world.time.now };
    world.troubles = [
      { ...first, ...guilty },
      { ...second, ...guilty },
    ];
    await world.step(3);
    expect(world.watch.open().map(({ service }) => service)).toEqual(["checkout"]);
    expect(world.texts("incident.held")).toHaveLength(1);
  });

  it("what is open after a restart is taken up oldest first", async () => {
    await using world = await openWatchWorld();
    await twoBlameless(world);
    await world.restart();
    expect(world.watch.open().map(({ service }) => service)).toEqual(["checkout", "cart"]);
  });

  it.each(["recovered", "not-recovered"] as const)(
    "what lingers after an incident closed as %s is no new incident",
    async (verdict) => {
      await using world = await ended(verdict);
      await world.step(A_WHILE);
      expect(await world.incidents()).toHaveLength(1);
      expect(world.targets.calls()).toHaveLength(1);
    },
  );

  it("a new trouble of the same service, after the old one was over, is a new incident", async () => {
    await using world = await ended("recovered");
    world.troubles = [];
    await world.step(A_WHILE);
    world.troubles = [world.trouble()];
    await world.step();
    expect(await world.incidents()).toHaveLength(2);
  });

  it("trouble that outlives a recovery by more than the verification's time is a new incident", async () => {
    await using world = await ended("recovered");
    await world.step(HALF_HOUR);
    expect((await world.incidents()).length).toBeGreaterThan(1);
  });

  it("a new trouble elsewhere is not swallowed because it also hurts a service that is not well yet", async () => {
    await using world = await ended("not-recovered");
    world.troubles = [world.trouble(), world.trouble({ services: ["cart", "checkout"] }, cart)];
    await world.step();
    const incidents = await world.incidents();
    expect(incidents).toHaveLength(2);
    expect(incidents[1]?.affectedServices).toContain("cart");
  });
});

const DOWN: Gap = {
  of: "metrics",
  how: "unanswered",
  metric: "error_rate",
  source: "prometheus",
  what: "metrics: error_rate",
  because: "nothing listens there",
};

describe("what cannot be seen", () => {
  it("a source that is down is said once, and said again when it is back", async () => {
    await using world = await openWatchWorld();
    await world.step();
    world.gaps = [DOWN];
    await world.step(4);
    expect(world.texts("source.down")).toEqual([expect.stringContaining("prometheus")]);
    world.gaps = [];
    await world.step(3);
    expect(world.texts("source.up")).toHaveLength(1);
    world.gaps = [DOWN];
    await world.step();
    expect(world.texts("source.down")).toHaveLength(2);
  });

  it("S9: signals that fall silent are not well: the incident stays open and goes on when they are back", async () => {
    await using world = await openWatchWorld();
    const trouble = world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE });
    world.troubles = [trouble];
    await world.step(2);
    world.troubles = [{ ...trouble, condition: "silent" }];
    await world.step(A_WHILE);
    expect(await world.incident()).toMatchObject({ stage: "waiting-policy", outcome: null });
    world.troubles = [{ ...trouble, condition: "firing" }];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
  });

  it("S9: signals that nobody can see for longer than the verification's time: people are told, and the outcome is unknown", async () => {
    await using world = await openWatchWorld();
    const trouble = world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE });
    world.troubles = [trouble];
    await world.step(2);
    world.troubles = [{ ...trouble, condition: "silent" }];
    await world.step(HALF_HOUR * 2);
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "unknown" });
    expect(world.texts("incident.escalated")).toEqual([expect.stringContaining("no data")]);
  });

  it("S9: after a restart a source that answers nothing is no proof that the trouble is over", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE })];
    await world.step(2);
    world.troubles = [];
    await world.restart({
      gather: async (now) => ({ ...(await world.gather(now)), series: [], findings: [], conditions: [] }),
    });
    await world.step(A_WHILE);
    expect((await world.incident()).outcome).toBeNull();
  });
});

describe("change.healthy", () => {
  const later = { id: "deploy-checkout-2", startedAt: 0, finishedAt: 0 };
  /** A world after a rollback, in which a later deploy of the service has been serving. */
  async function afterRollback(): Promise<WatchWorld> {
    const world = await ended("recovered");
    world.troubles = [];
    await world.step(4);
    const at = world.time.now;
    const target = targetOf({ changeId: later.id });
    await world.restart({
      gather: async (now) => {
        const file = await world.gather(now);
        const change = {
          id: later.id,
          kind: "deploy",
          service: target.service,
          from: "v1",
          to: "v2.1",
          startedAt: at,
          finishedAt: at + MINUTE,
          source: "kubernetes",
          reversible: true,
        } as const;
        const served = Array.from({ length: HALF_HOUR }, () => 0.001);
        const startAt = now - (served.length - 1) * STEP_MS;
        const measured = {
          service: target.service,
          metric: "error_rate",
          unit: "ratio",
          worse: "up",
          labels: {},
        } as const;
        return {
          ...file,
          series: [...file.series, { ...measured, startAt, stepMs: STEP_MS, values: served }],
          changes: [{ ...change, id: "before", startedAt: at - 60 * MINUTE }, change],
        };
      },
    });
    return world;
  }
  const healthy = async (world: WatchWorld) =>
    (await world.store.entries({ kinds: ["change.healthy"] })).map(({ body }) => body);

  it("is written once, for a later change that has served long enough with nothing wrong", async () => {
    await using world = await afterRollback();
    await world.step((8 * MINUTE) / STEP_MS);
    expect(await healthy(world)).toEqual([]);
    await world.step((10 * MINUTE) / STEP_MS);
    expect(await healthy(world)).toEqual([{ service: "checkout", changeId: later.id, kind: "deploy" }]);
    await world.step(HALF_HOUR);
    await world.restart();
    await world.step(HALF_HOUR);
    expect(await healthy(world)).toHaveLength(1);
  });

  it("is not written while the service is in trouble", async () => {
    await using world = await afterRollback();
    world.troubles = [world.trouble({ condition: "none", action: "no_action" })];
    await world.step(HALF_HOUR);
    expect(await healthy(world)).toEqual([]);
  });
});
