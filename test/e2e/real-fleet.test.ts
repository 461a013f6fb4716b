import { describe, expect, it } from "vitest";
import type { Fleet } from "../real/fleet/fleet.ts";
import { quietly } from "../real/fleet/hour.ts";
import { isEnoughUndone } from "../real/fleet/judge.ts";
import { type Planned, reportText, runFleet } from "../real/fleet/run.ts";
import { FLEET, LATER } from "../real/fleet/services.ts";
import { badDeploy, innocent, outage, pausedRollout, withoutHistory } from "../real/fleet/troubles.ts";
import { hasControlPlane } from "../real/kubernetes/plane.ts";
import { requireReal } from "../real-component.ts";

const LONG_MS = 12 * 60_000;

/** One alone, then several at once, with an API server that hangs and one that is killed; unship is never restarted. */
function plan(fleet: Fleet): readonly Planned[] {
  const { apiServer } = fleet.plane;
  return [
    { at: 0, act: () => badDeploy(fleet, "search", "errors", { kind: "bad deploy alone" }) },
    { at: 50, act: () => badDeploy(fleet, "payments", "errors") },
    { at: 52, act: () => badDeploy(fleet, "metering", "slow") },
    { at: 54, act: () => innocent(fleet, "mailer") },
    { at: 70, act: () => badDeploy(fleet, "reports", "neverReady") },
    { at: 72, act: () => innocent(fleet, "catalog") },
    {
      at: 104,
      act: () => badDeploy(fleet, "search", "errors", { kind: "bad deploy just before the API server hangs" }),
    },
    quietly(107, () => apiServer.hang()),
    quietly(127, () => apiServer.resume()),
    { at: 130, act: () => innocent(fleet, "gateway", "restart") },
    { at: 136, act: () => innocent(fleet, "mailer") },
    { at: 140, act: () => outage(fleet, "mailer", 30_000) },
    quietly(150, async () => {
      await apiServer.kill();
      await apiServer.start();
    }),
    {
      at: 160,
      act: () => badDeploy(fleet, "checkout", "errors", { kind: "bad deploy by server-side apply", by: "apply" }),
    },
    { at: 162, act: () => pausedRollout(fleet, "metering") },
    { at: 165, act: () => badDeploy(fleet, "catalog", "neverReady") },
    { at: 168, act: () => withoutHistory(fleet, "fresh") },
  ];
}

const able = hasControlPlane("unship on a real control plane") && requireReal("prometheus", "prometheus");

describe.runIf(able)("unship on a real control plane, several troubles at once", () => {
  it("undoes every bad change that can be undone and no other, leaves what kubectl would, and ends each incident in its time", {
    timeout: LONG_MS,
  }, async () => {
    const report = await runFleet({ services: FLEET, later: LATER, seed: 1, prometheus: true }, plan);
    console.log(reportText(report));
    expect(report.wrong, reportText(report)).toEqual([]);
    expect(isEnoughUndone(report), reportText(report)).toBe(true);
  });
});
