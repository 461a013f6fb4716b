import { describe, expect, it } from "vitest";
import { testConfig } from "../../core/assessment/config.ts";
import { openAnsweringSystem } from "./answering-system.ts";

const bad = { service: "stock", fromS: 20, errors: 0.4 };

describe("a deploy close behind a rollback, from signals to verification", () => {
  it.each([0, 2, 8])(
    "a bad one %i s after it ends the first verification and is taken back in its turn",
    async (gapS) => {
      await using system = await openAnsweringSystem({
        deploys: [bad],
        afterAct: [{ service: "stock", gapS, errors: 0.4 }],
      });
      await system.until(150);
      const incidents = await system.incidents();
      expect(
        incidents.map(({ outcome }) => outcome),
        system.told(),
      ).toEqual(["superseded", "recovered"]);
      expect(
        system.undone.map(({ changeId }) => changeId),
        system.told(),
      ).toEqual(["stock-1", "stock-3"]);
      expect(incidents[1]?.plan?.targets[0]?.restore.version).toBe("v1.0.0");
    },
    60_000,
  );

  it("a good one is not touched, and opens nothing", async () => {
    await using system = await openAnsweringSystem({
      deploys: [bad],
      afterAct: [{ service: "stock", gapS: 1, errors: 0 }],
    });
    await system.until(100);
    expect(
      (await system.incidents()).map(({ outcome }) => outcome),
      system.told(),
    ).toEqual(["superseded"]);
    expect(system.undone.map(({ changeId }) => changeId)).toEqual(["stock-1"]);
  }, 60_000);
});

describe("a deploy of a service that an open incident affects, while its verification is under way", () => {
  it.each([2, 10, 30])(
    "a bad one %i s after the rollback is found and taken back before the verification's time is over",
    async (gapS) => {
      await using system = await openAnsweringSystem({
        deploys: [bad],
        afterAct: [{ service: "cart", gapS, errors: 0.4 }],
      });
      await system.until(150);
      expect(
        system.undone.map(({ changeId }) => changeId),
        system.told(),
      ).toEqual(["stock-1", "cart-1"]);
      expect(
        (await system.incidents()).map(({ outcome }) => outcome),
        system.told(),
      ).toEqual(["recovered", "recovered"]);
      expect((system.undone[1]?.atS ?? 0) - (system.undone[0]?.atS ?? 0)).toBeLessThan(gapS + 60);
    },
    60_000,
  );

  it.each([2, 10, 30])(
    "a good one %i s after the rollback is left alone, and opens nothing",
    async (gapS) => {
      await using system = await openAnsweringSystem({
        deploys: [bad],
        afterAct: [{ service: "cart", gapS, errors: 0 }],
      });
      await system.until(120);
      expect(
        (await system.incidents()).map(({ outcome }) => outcome),
        system.told(),
      ).toEqual(["recovered"]);
      expect(system.undone.map(({ changeId }) => changeId)).toEqual(["stock-1"]);
    },
    60_000,
  );
});

describe("a rollback whose restored version fails in its turn", () => {
  it("is told while it is being verified, and never called recovered, though what was slow is fast again", async () => {
    await using system = await openAnsweringSystem({
      deploys: [{ service: "stock", fromS: 20, errors: 0, latency: 8 }],
      restoredErrors: 0.5,
      config: { feedback: { ...testConfig().feedback, timeoutMs: 120_000 } },
    });
    await system.until(100);
    expect(system.undone.map(({ changeId }) => changeId)).toEqual(["stock-1"]);
    expect(
      system.events.filter(({ event }) => event === "incident.escalated").map(({ text }) => text),
      system.told(),
    ).toEqual([
      // Late answers alone are waited for until pods are warm, a minute; this watch looks every second, and speaks of what lasts for ten looks.
      "A policy's condition holds, and no change is sure enough to be undone: needs a person to investigate.",
      "Rolled back after all: stock-1 (99 %).",
      expect.stringMatching(/^What was done may have made it worse: .*error_rate of stock/),
    ]);
    await system.until(220);
    const [first] = await system.incidents();
    expect(first?.outcome, system.told()).toBe("not-recovered");
    expect(first?.recovery?.checks.filter(({ metric }) => metric === "p99_latency")).toEqual(
      expect.arrayContaining([expect.objectContaining({ service: "stock", verdict: "recovered" })]),
    );
    expect(system.undone).toHaveLength(1);
  }, 60_000);
});

describe("trouble that stays through a rollback, and that a second deploy makes worse", () => {
  const stays = { deploys: [bad], effects: [{ service: "stock", fromS: 21, errors: 0.05 }] };

  it("is put before a person with the second deploy, once, and nothing more is undone by itself", async () => {
    await using system = await openAnsweringSystem({
      ...stays,
      afterAct: [{ service: "cart", gapS: 30, errors: 0.3 }],
    });
    await system.until(200);
    const [, second, ...more] = await system.incidents();
    expect(more, system.told()).toEqual([]);
    expect(second?.decision, system.told()).toMatchObject({ action: "rollback", changeIds: ["cart-1"] });
    expect(second?.decision?.needsPerson.join()).toContain("whether cart-1 is behind that is for people to say");
    expect(system.undone.map(({ changeId }) => changeId)).toEqual(["stock-1"]);
    expect(system.events.filter(({ event }) => event === "incident.held")).toHaveLength(1);
  }, 60_000);

  it("says nothing against a deploy that makes nothing worse", async () => {
    await using system = await openAnsweringSystem({
      ...stays,
      afterAct: [{ service: "cart", gapS: 30, errors: 0 }],
    });
    await system.until(200);
    expect(await system.incidents(), system.told()).toHaveLength(1);
    expect(system.undone.map(({ changeId }) => changeId)).toEqual(["stock-1"]);
  }, 60_000);
});
