import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import type { Gap } from "../../../core/model/assessment.ts";
import type { Change } from "../../../core/model/change.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base, noBank } from "../assessment/trap.ts";
import { atS, deploy, type WorldOptions } from "../assessment/world.ts";

const broken = (change: Partial<Change>, replaced: Partial<WorldOptions> = {}): WorldOptions => ({
  ...base,
  changes: [deploy("cart", 300, change)],
  effects: [{ service: "cart", fromS: 305, errors: 0.3 }],
  ...replaced,
});
const decide = async (world: WorldOptions, seconds = 600) =>
  assess(await caseAt(world, seconds), testConfig()).decision;

describe("a hotfix recommendation", () => {
  const migration = {
    id: "mig-7",
    kind: "migration" as const,
    reversible: false,
    from: "0006",
    to: "0007",
    author: "ana",
    commit: "abc123",
    finishedAt: atS(303),
    diff: { files: 1, insertions: 4, deletions: 2, paths: ["db/0007_drop_price.sql"] },
  };
  const logs = [1, 2].map((i) => ({ atS: 320 + i, service: "cart", message: `column price does not exist ${i}` }));

  it("holds all that a person needs", async () => {
    const { action, changeIds, hotfix, needsPerson } = await decide(broken(migration, { logs }));
    expect(action).toBe("hotfix_recommendation");
    expect(changeIds).toEqual([]);
    expect(needsPerson.length).toBeGreaterThan(0);
    expect(hotfix).toMatchObject({
      changeId: "mig-7",
      changeIds: ["mig-7"],
      commitRange: "0006..abc123",
      suspects: ["db/0007_drop_price.sql", "column price does not exist #"],
      owner: "ana",
    });
    expect(hotfix?.whyNoRollback).toContain("migration");
    expect(hotfix?.mitigation.length).toBeGreaterThan(20);
    expect(hotfix?.check).toContain("error_rate of cart");
  });

  it("is also what an irreversible deploy gets", async () => {
    const { action, hotfix } = await decide(broken({ reversible: false }));
    expect(action).toBe("hotfix_recommendation");
    expect(hotfix?.whyNoRollback).toContain("irreversible");
  });

  it("is also what a coordinated set with a one-way change in it gets", async () => {
    const consumer = deploy("gateway", 320, { requires: { cart: "v1.1.0" }, reversible: false });
    const { action, changeIds, hotfix } = await decide(broken({}, { changes: [deploy("cart", 300), consumer] }));
    expect(action).toBe("hotfix_recommendation");
    expect(hotfix?.changeId).toBe("deploy-gateway-320");
    expect(hotfix?.changeIds).toEqual(["deploy-gateway-320", "deploy-cart-300"]);
    expect(changeIds).toEqual([]);
  });

  it.each([
    ["a migration", { kind: "migration", reversible: false } as const, "migration"],
    ["what cannot be undone", { reversible: false } as const, "irreversible"],
  ])("is also what a release gets of which a part is %s", async (_, change, why) => {
    const of = { commit: "abc1234" };
    const parts = [deploy("cart", 300, of), deploy("checkout", 302, { ...of, ...change })];
    const effects = ["cart", "checkout"].map((service) => ({ service, fromS: 305, errors: 0.3 }));
    const world = { ...base, changes: parts, effects };
    const { action, changeIds, needsPerson, hotfix } = await decide(world);
    expect(action).toBe("hotfix_recommendation");
    expect(changeIds).toEqual([]);
    expect(needsPerson).toEqual([expect.stringContaining(why)]);
    expect([...(hotfix?.changeIds ?? [])].sort()).toEqual(["deploy-cart-300", "deploy-checkout-302"]);
    expect((await decide({ ...world, changes: [deploy("cart", 300, of), deploy("checkout", 302, of)] })).action).toBe(
      "rollback",
    );
  });
});

describe("no action", () => {
  it("says what speaks against each change, and that no change is the culprit", async () => {
    const late = deploy("cart", 500);
    const { action, why, culprit } = await decide(broken({}, { changes: [late] }));
    expect(action).toBe("no_action");
    expect(culprit).toBeNull();
    expect(why.join(" ")).toContain("no change is the culprit");
    expect(why.join(" ")).toContain("it cannot be the cause");
  });

  it("says how much more traffic came", async () => {
    const effects = Object.keys(base.services).map((service) => ({
      service,
      fromS: 305,
      traffic: 2.5,
      latency: 2,
      spread: 0,
    }));
    const { action, why } = await decide(broken({}, { effects }));
    expect(action).toBe("no_action");
    expect(why.join(" ")).toMatch(/users send 2\.\d times the baseline traffic/);
  });

  it("says that it waits while pods are being replaced, and names the suspect it waits for", async () => {
    const { action, why } = await decide(broken({}), 345);
    expect(action).toBe("no_action");
    expect(why.join(" ")).toMatch(/rollout transient|still replacing pods/);
  });

  it("is what a threshold gets that is crossed no more than before: policy calls people, no change is blamed", async () => {
    const services = { ...base.services, cart: { rate: 80, errors: 0.07 } };
    const { action, why, needsPerson } = await decide({ ...base, services, changes: [deploy("cart", 300)] }, 400);
    expect(action).toBe("no_action");
    expect(why.join(" ")).toContain("within its baseline");
    expect(needsPerson).toEqual(["policy calls it bad"]);
  });

  it("says what passed", async () => {
    const world = broken({}, { effects: [{ service: "cart", fromS: 305, toS: 400, errors: 0.3 }] });
    const file = await caseAt(world, 700);
    const { action, why, needsPerson } = assess(file, testConfig(), ["cart"]).decision;
    expect(action).toBe("no_action");
    expect(why.join(" ")).toContain("transient");
    expect(needsPerson).toEqual([]);
  });
});

describe("a decision to act", () => {
  it("is left to people where an external that the service calls may have failed as it was deployed", async () => {
    const world = {
      ...broken({ service: "pay", id: "deploy-pay" }),
      effects: [{ service: "pay", fromS: 305, errors: 0.5, spread: 0.8 }],
    };
    const { action, needsPerson, culprit, why } = await decide(world);
    expect(action).toBe("no_action");
    expect(culprit?.changeId).toBe("deploy-pay");
    expect(needsPerson).toEqual(["the culprit is below the configured confidence"]);
    expect(why.join(" ")).toContain("below the confidence threshold of ");
  });

  it("is automatic once an automatic policy condition fires, and needs nobody", async () => {
    const { action, automatic, needsPerson } = await decide(broken({}));
    expect(action).toBe("rollback");
    expect(automatic).toBe(true);
    expect(needsPerson.filter((why) => !why.includes("workload"))).toEqual([]);
  });

  it("needs a person where more services are hurt than the expression allows", async () => {
    const deep = {
      ...broken({ service: "pay", id: "deploy-pay" }),
      ...noBank,
      effects: [{ service: "pay", fromS: 305, errors: 0.5, spread: 0.8 }],
    };
    const { action, needsPerson } = await decide(deep);
    expect(action).toBe("rollback");
    expect(needsPerson.join()).toContain("affected_services > 3");
  });

  it("gives its reasons in sentences with figures", async () => {
    const { why } = await decide(broken({}));
    expect(why[0]).toMatch(/^cart v1\.0\.0 → v1\.1\.0 is the culprit with probability (\d\d|> 99) %$/);
    expect(why.length).toBeGreaterThanOrEqual(3);
  });
});

describe("a metric that its source did not tell", () => {
  const seen = broken(
    {},
    {
      versions: [
        {
          ...{ service: "cart", fromS: 300, toS: 420, old: "v1.0.0", fresh: "v1.1.0" },
          ...{ share: (s: number) => Math.min(1, (s - 300) / 120), oldErrors: 0.002, freshErrors: 0.4 },
        },
      ],
    },
  );
  const asked = async (world: WorldOptions, what: string) => {
    const [, metric] = what.split(": ");
    const about = metric === undefined ? {} : { metric };
    const because = "it gave no usable answer";
    const gaps = [{ of: "metrics", how: "unanswered", ...about, source: "prometheus", what, because } as const];
    const { action, needsPerson } = assess({ ...(await caseAt(world, 480)), gaps }, testConfig()).decision;
    expect(action).toBe("rollback");
    return needsPerson.some((one) => one.includes("prometheus did not say"));
  };

  it.each([
    [
      "lets a version go back that is seen to fail beside the old one, where it is another one",
      seen,
      "metrics: p50_latency",
      false,
    ],
    ["is asked about where it is the degraded one", seen, "metrics: error_rate", true],
    ["is asked about where it counts the requests", seen, "metrics: request_rate", true],
    ["is asked about where it is all of them", seen, "metrics", true],
    ["is asked about where nothing compares the versions", broken({}), "metrics: p50_latency", true],
  ] as const)("%s", async (_, world, what, isAsked) => {
    expect(await asked(world, what)).toBe(isAsked);
  });

  it.each<[string, Partial<Gap>, boolean]>([
    ["a source of changes that did not answer", { of: "changes", how: "unanswered" }, true],
    ["a source of changes that leaves a part out", { of: "changes", how: "partial" }, false],
    ["when changes began is uncertain", { of: "changes", how: "uncertain" }, true],
    ["a part of a storage of metrics", { of: "metrics", how: "partial", metric: "error_rate" }, true],
    ["an absurd sample of another service", { of: "metrics", how: "partial", services: ["bank"] }, false],
    ["targets of another service", { of: "targets", how: "unanswered", services: ["bank"] }, false],
    ["logs", { of: "logs", how: "unanswered" }, false],
  ])("a person is asked, whatever the words, for: %s (%o)", async (_, typed, isAsked) => {
    const known = await caseAt(broken({}), 480);
    for (const words of ["changes", "metrics", "metrics: error_rate", "anything"]) {
      const gap: Gap = { of: "logs", how: "unanswered", source: "it", what: words, because: words, ...typed };
      const { action, needsPerson } = assess({ ...known, gaps: [gap] }, testConfig()).decision;
      expect(action).toBe("rollback");
      expect(needsPerson.some((one) => /^it( d|: )/.test(one))).toBe(isAsked);
    }
  });
});

describe("where everything has fallen silent", () => {
  it("says so to whoever asks about no service in particular, and never that nothing is wrong", async () => {
    const { action, why, needsPerson } = await decide({ ...base, gap: [300, 2000] }, 900);
    expect(action).toBe("no_action");
    expect(why.slice(0, -1).every((sentence) => /no data for .*: unknown, not healthy$/.test(sentence))).toBe(true);
    expect(why.at(-1)).toMatch(/^and \d+ more like these$/);
    expect(why.join()).not.toContain("nothing is worse");
    expect(needsPerson).toEqual(["services without data are unknown: needs a person to investigate"]);
  });
});

describe("a change that had served soundly for minutes before the onset", () => {
  const late = (replaced: Partial<WorldOptions> = {}) =>
    broken({}, { changes: [deploy("cart", 60)], effects: [{ service: "cart", fromS: 545, errors: 0.3 }], ...replaced });
  const confirms = (decision: Awaited<ReturnType<typeof decide>>) =>
    decision.needsPerson.some((one) => /had served for \d+m.* nothing but its time and its place/.test(one));

  it("goes back once a person has confirmed it, where nothing else speaks against it", async () => {
    const decision = await decide(late(), 660);
    expect(decision).toMatchObject({ action: "rollback", changeIds: ["deploy-cart-60"] });
    expect(decision.culprit?.probability).toBeLessThan(0.95);
    expect(confirms(decision)).toBe(true);
  });

  it("needs nobody's word where a new error is its version's alone", async () => {
    const logs = [1, 2, 3].map((i) => ({
      ...{ atS: 550 + i, service: "cart", message: `index ${i} out of range in Cart.total`, version: "v1.1.0" },
    }));
    expect(confirms(await decide(late({ logs }), 660))).toBe(false);
  });

  it("is another matter than one whose rollout the degradation began in", async () => {
    expect(confirms(await decide(broken({})))).toBe(false);
  });
});
