import { describe, expect, it } from "vitest";
import { assess } from "../../../core/assessment/assessor.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { PodLabels } from "../../../core/model/signal.ts";
import { caseAt } from "../assessment/case-at.ts";
import { testConfig } from "../assessment/config.ts";
import { base } from "../assessment/trap.ts";
import { deploy } from "../assessment/world.ts";

/** How failed checks are told: of whole services, or as Kubernetes tells them, pod by pod. */
const TOLD = ["of whole services", "pod by pod"] as const;

/**
 * A deploy that fails a third of the requests; its pods fail their checks as well, and so do those of some others.
 * `detector`: what found the deploy's own: failed checks, or a new revision of which no pod becomes ready.
 */
async function decided(
  others: readonly string[],
  told: (typeof TOLD)[number],
  detector: "health" | "rollout" = "health",
) {
  const seen = await caseAt(
    { ...base, changes: [deploy("cart", 300)], effects: [{ service: "cart", fromS: 305, errors: 0.35 }] },
    420,
  );
  const finding = seen.findings.find(({ service, verdict }) => service === "cart" && verdict === "worse");
  if (finding === undefined) throw new Error("cart is degraded");
  const unready = {
    ...finding,
    detector,
    metric: "health_check_failures",
    unit: "count",
    baseline: 0,
  } as const;
  const samples = (service: string, labels: PodLabels | null): CaseFile["series"][number] => ({
    service,
    metric: "health_check_failures",
    unit: "count",
    labels: labels ?? {},
    worse: "up",
    startAt: seen.at - 240 * 15_000,
    stepMs: 15_000,
    values: Array.from({ length: 241 }, (_, i) => (i > 220 && others.includes(service) ? 1 : 0)),
  });
  const pod = (service: string, name: string) =>
    samples(service, { pod: `shop/${service}-${name}`, version: "v1.0.0" });
  const services = [...new Set([...seen.series.map(({ service }) => service), ...others])];
  const readiness = services.flatMap((service) =>
    told === "pod by pod" ? [pod(service, "a"), pod(service, "b")] : [samples(service, null)],
  );
  const series = [...seen.series, ...readiness];
  return assess({ ...seen, series, findings: [...seen.findings, unready] }, testConfig(), ["cart"]).decision;
}

const MOVED = ["mail", "geo", "tax", "quotes"];

describe.each(TOLD)("a bad deploy whose pods are not ready, where readiness is told %s", (told) => {
  it.each(["health", "rollout"] as const)("is rolled back where all else is ready (%s)", async (detector) => {
    expect(await decided([], told, detector)).toMatchObject({ action: "rollback", changeIds: ["deploy-cart-300"] });
  });

  it.each(["health", "rollout"] as const)(
    "is put before a person while pods of services that nobody changed are being moved (%s)",
    async (detector) => {
      const decision = await decided(MOVED, told, detector);
      expect(decision).toMatchObject({ action: "no_action", culprit: { changeId: "deploy-cart-300" } });
      expect(decision.needsPerson.join()).toContain("pods that are moved");
      expect(decision.why.join()).toContain("geo, mail, quotes, tax");
    },
  );
});
