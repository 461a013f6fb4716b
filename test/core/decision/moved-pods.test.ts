import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { deploy } from "../assessment/world.ts";

/** A deploy that fails a third of the requests; its pods fail their checks as well, and so do those of some others. */
async function decided(others: readonly string[]) {
  const seen = await caseAt(
    { ...base, changes: [deploy("cart", 300)], effects: [{ service: "cart", fromS: 305, errors: 0.35 }] },
    420,
  );
  const finding = seen.findings.find(({ service, verdict }) => service === "cart" && verdict === "worse");
  if (finding === undefined) throw new Error("cart is degraded");
  const unready = {
    ...finding,
    detector: "health",
    metric: "health_check_failures",
    unit: "count",
    baseline: 0,
  } as const;
  const samples = (service: string): CaseFile["series"][number] => ({
    service,
    metric: "health_check_failures",
    unit: "count",
    labels: {},
    worse: "up",
    startAt: seen.at - 240 * 15_000,
    stepMs: 15_000,
    values: Array.from({ length: 241 }, (_, i) => (i > 220 && others.includes(service) ? 2 : 0)),
  });
  const services = [...new Set([...seen.series.map(({ service }) => service), ...others])];
  const series = [...seen.series, ...services.map(samples)];
  return assess({ ...seen, series, findings: [...seen.findings, unready] }, testConfig(), ["cart"]).decision;
}

describe("a bad deploy whose pods are not ready", () => {
  it("is rolled back where all else is ready", async () => {
    expect(await decided([])).toMatchObject({ action: "rollback", changeIds: ["deploy-cart-300"] });
  });

  it("is put before a person while pods of services that nobody changed are being moved", async () => {
    const decision = await decided(["mail", "geo", "tax", "quotes"]);
    expect(decision).toMatchObject({ action: "no_action", culprit: { changeId: "deploy-cart-300" } });
    expect(decision.needsPerson.join()).toContain("pods that are moved");
    expect(decision.why.join()).toContain("geo, mail, quotes, tax");
  });
});
