import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { type Deployed, judgeSoak, type SoakRecord } from "../../../evals/soak/judge-soak.ts";
import { soakLines } from "../../../evals/soak/main.ts";

const MENDED = 600_000;
const image = (service: string, version: string) => `shop/${service}:${version}`;
const deploy = (service: string, at: number, version: string, more: Partial<Deployed> = {}): Deployed => ({
  atMs: at,
  at,
  world: service === "figures" ? "reports" : "shop",
  service,
  kind: "errors",
  image: image(service, version),
  before: image(service, "1.1.0"),
  ...more,
});
const write = (service: string, at: number, version = "1.1.0"): SoakRecord["writes"][number] => ({
  api: "kubernetes",
  at,
  method: "PATCH",
  path: `/apis/apps/v1/namespaces/production/deployments/${service}?fieldManager=unship`,
  body: { spec: { template: { spec: { containers: [{ image: image(service, version) }] } } } },
  own: false,
});
const incident = (service: string, closedAt: number | null, outcome = "recovered"): Incident =>
  ({
    id: `incident-${service}`,
    service,
    stage: closedAt === null ? "verifying" : "closed",
    closedAt,
    outcome: closedAt === null ? null : outcome,
    decision: { changeIds: [`deploy:production/${service}:3`] },
  }) as unknown as Incident; // as: the part of an incident that the judgement reads

const PAYMENTS = deploy("payments", 100_000, "1.2.0");
const CART = deploy("cart", 104_000, "1.3.0", { kind: "innocent" });
const FIGURES = deploy("figures", 110_000, "1.4.0", { kind: "latency" });
const GOOD: SoakRecord = {
  deployed: [PAYMENTS, CART, FIGURES],
  writes: [write("payments", 120_000), write("figures", 140_000)],
  incidents: [incident("payments", 150_000), incident("figures", 170_000)],
  mendedAt: MENDED,
  blind: [],
};

describe("a soak", () => {
  it("is well where each bad deploy was rolled back, no unrelated one, and every incident ended", () => {
    expect(judgeSoak(GOOD)).toEqual({
      ok: true,
      reasons: [],
      figures: {
        bad: 2,
        undone: 2,
        innocent: 1,
        innocentUndone: 0,
        incidents: 2,
        open: 0,
        overlapping: 1,
        secondsToUndo: [20, 30],
      },
    });
  });

  it.each<[string, Partial<SoakRecord>, RegExp]>([
    ["a bad deploy stays", { writes: GOOD.writes.slice(0, 1) }, /deploy of figures .* was not rolled back/],
    [
      "one was put back by the harness alone",
      { writes: [write("payments", 120_000), write("figures", MENDED + 1)] },
      /deploy of figures .* was not rolled back/,
    ],
    [
      "an innocent deploy is undone",
      { writes: [...GOOD.writes, write("cart", 130_000)] },
      /innocent deploy of cart .* was undone/,
    ],
    ["one is undone twice", { writes: [...GOOD.writes, write("payments", 160_000)] }, /is not the one rollback of/],
    [
      "one is set to what did not run before",
      { writes: [write("payments", 120_000, "1.0.0"), write("figures", 140_000)] },
      /payments .* was not rolled back/,
    ],
    [
      "what nobody deployed is written",
      { writes: [...GOOD.writes, write("pricing", 130_000)] },
      /pricing .* nobody deployed/,
    ],
    [
      "an incident never ends",
      { incidents: [incident("payments", null), incident("figures", 170_000)] },
      /incident-payments \(payments\) is verifying/,
    ],
    [
      "an incident ends as recovered before its rollback",
      { incidents: [incident("payments", 110_000), incident("figures", 170_000)] },
      /incident-payments says/,
    ],
    ["the watch did not look on", { blind: ["the watch ended before the end"] }, /ended before the end/],
  ])("is not well where %s", (_, change, why) => {
    const { ok, reasons } = judgeSoak({ ...GOOD, ...change });
    expect(ok).toBe(false);
    expect(reasons).toEqual(expect.arrayContaining([expect.stringMatching(why)]));
  });

  it("may end an incident without an act at any time, and judges a later bad deploy of a service by its own write", () => {
    const again = deploy("payments", 300_000, "1.5.0");
    expect(
      judgeSoak({
        ...GOOD,
        deployed: [...GOOD.deployed, again],
        writes: [...GOOD.writes, write("payments", 330_000)],
        incidents: [...GOOD.incidents, incident("cart", 106_000, "no-action")],
      }),
    ).toMatchObject({ ok: true, figures: { bad: 3, undone: 3 } });
  });

  it("says what it came to", () => {
    expect(soakLines(judgeSoak(GOOD), 7)).toEqual([
      "seed 7: 2 of 2 bad deploys rolled back (1 while another system was degraded), 0 of 1 unrelated ones",
      "  half of them within 25.0 s; 2 incidents, 0 still open",
      "well",
    ]);
  });
});
