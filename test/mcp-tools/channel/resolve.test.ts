import { describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { incident as whole } from "../../knowledge/incidents.ts";
import { openChannelWorld } from "./channel-world.ts";

const incidentOf = (change: Partial<Incident>): Incident => ({ ...whole, plan: null, gate: null, ...change });

describe("alerts of an incident", () => {
  it.each([
    ["open", incidentOf({ id: "i", stage: "verifying", outcome: null, closedAt: null }), false],
    ["closed with nothing recovered", incidentOf({ id: "i", outcome: "unknown" }), false],
    ["not known", null, false],
    ["recovered", incidentOf({ id: "i" }), true],
  ])("are resolved by the agent only where it is recorded as recovered: %s", async (_, incident, may) => {
    await using channel = await openChannelWorld();
    if (incident !== null) await channel.world.store.saveIncident(incident);
    const resolves = [{ title: "t" }, { title: "u", planId: "p" }];
    const notice = { incidentId: "i", title: "t", lines: [], severity: "info", to: "pagerduty:x", resolves } as const;
    const sent = channel.agent.notifier.notify(notice);
    if (!may) await expect(sent).rejects.toMatchObject({ code: "gate.refused" });
    else expect(await sent).toMatchObject({ delivered: true });
    expect(channel.world.notices).toEqual(may ? [notice] : []);
  });
});
