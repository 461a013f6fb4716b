import { describe, expect, it } from "vitest";
import type { Fleet } from "../real/fleet/fleet.ts";
import { hour } from "../real/fleet/hour.ts";
import { isEnoughUndone } from "../real/fleet/judge.ts";
import { type Planned, reportText, runFleet } from "../real/fleet/run.ts";
import { BY_GIT, FLEET, LARGE_FLEET, LATER, ROLLOUTS } from "../real/fleet/services.ts";
import { badDeploy, heldByLimit } from "../real/fleet/troubles.ts";
import { hasArgoCd, hasControlPlane, hasRollouts } from "../real/kubernetes/plane.ts";
import { requireReal } from "../real-component.ts";

/** The published seeds. `UNSHIP_FLEET_SEED` runs another one alone, `UNSHIP_FLEET_SECONDS` less than an hour of it. */
const SEEDS = process.env.UNSHIP_FLEET_SEED === undefined ? [11, 23, 47] : [Number(process.env.UNSHIP_FLEET_SEED)];
const SECONDS = Number(process.env.UNSHIP_FLEET_SECONDS ?? 3600);
const LONG_MS = (SECONDS + 1200) * 1000;

/** The seed configuration's own limits: three rollbacks an hour. */
const LIMITS = { perHour: 3, perDay: 5 };

function beyondLimits(fleet: Fleet): readonly Planned[] {
  const within = ["search", "mailer", "metering"];
  const beyond = ["payments", "catalog"];
  return [
    ...within.map((name, index) => ({ at: 60 * index, act: () => badDeploy(fleet, name, "errors") })),
    ...beyond.map((name, index) => ({ at: 60 * (within.length + index), act: () => heldByLimit(fleet, name) })),
  ];
}

const able = hasControlPlane("an hour of unship on a real control plane") && requireReal("prometheus", "prometheus");

describe.runIf(able)("an hour on a real control plane", () => {
  it.each(SEEDS)("with seed %i", { timeout: LONG_MS }, async (seed) => {
    const rollouts = hasRollouts("canaries and blue-green of Argo Rollouts in an hour of the fleet") ? ROLLOUTS : [];
    const byGit = hasArgoCd("releases by Git and Argo CD in an hour of the fleet") ? BY_GIT : [];
    const options = {
      services: [...LARGE_FLEET, ...rollouts, ...byGit],
      later: LATER,
      seed,
      prometheus: true,
      edgeNode: true,
    };
    const report = await runFleet(options, (fleet) => hour(fleet, seed, SECONDS));
    console.log(reportText(report));
    expect(report.wrong, reportText(report)).toEqual([]);
    expect(isEnoughUndone(report), reportText(report)).toBe(true);
  });

  it("with the limits of the seed's file holds exactly what exceeds them", { timeout: LONG_MS }, async () => {
    const report = await runFleet({ services: FLEET, seed: 5, prometheus: true, limits: LIMITS }, beyondLimits);
    console.log(reportText(report));
    expect(report.wrong, reportText(report)).toEqual([]);
    expect(report.asked, reportText(report)).toEqual([]);
  });
});
