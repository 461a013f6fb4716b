import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";
import { forgetForGood, rebuildFromLedger } from "../../knowledge/rebuild.ts";
import { createIncidentStore } from "../../knowledge/store.ts";
import { incident } from "./incidents.ts";

it("makes the memory again from the ledger: every closed incident, none that is open and none that was forgotten", async () => {
  const path = await mkdtemp(join(tmpdir(), "unship-rebuild-"));
  const ledger = await openSqliteLedger(join(path, "ledger.db"), { clock: { now: () => incident.detectedAt } });
  const store = createIncidentStore({ path: join(path, "knowledge"), table: "past", include: [] });
  try {
    await ledger.saveIncident(incident);
    await ledger.saveIncident({ ...incident, id: "inc-open", stage: "verifying", outcome: null, closedAt: null });
    await store.remember({ ...incident, id: "inc-of-another-ledger" });
    await ledger.saveIncident({ ...incident, id: "inc-forgotten" });
    await store.remember({ ...incident, id: "inc-forgotten" });
    await forgetForGood("inc-forgotten", "cli", store, ledger);
    expect((await store.list(10)).map(({ incidentId }) => incidentId)).toEqual(["inc-of-another-ledger"]);
    expect(await rebuildFromLedger(store, ledger)).toBe(1);
    expect((await store.list(10)).map(({ incidentId }) => incidentId)).toEqual([incident.id]);
  } finally {
    await store.close();
    await ledger.close();
    await rm(path, { recursive: true, force: true });
  }
});

it("remembers no recovery as confirmed that a later incident of the ledger shows to be none", async () => {
  const path = await mkdtemp(join(tmpdir(), "unship-rebuild-"));
  const ledger = await openSqliteLedger(join(path, "ledger.db"), { clock: { now: () => incident.detectedAt } });
  const store = createIncidentStore({ path: join(path, "knowledge"), table: "past", include: ["recovery_confirmed"] });
  const toldAt = incident.recovery?.at ?? 0;
  try {
    await ledger.saveIncident(incident);
    await rebuildFromLedger(store, ledger);
    expect((await store.list(1))[0]).toMatchObject({ outcome: "recovered" });
    await ledger.saveIncident({
      ...incident,
      id: "inc-later",
      detectedAt: toldAt + 60_000,
      onset: { at: toldAt - 2, earliest: toldAt - 3, latest: toldAt - 1 },
      stage: "verifying",
      outcome: null,
      closedAt: null,
      recovery: null,
    });
    await rebuildFromLedger(store, ledger);
    const [kept] = await store.list(1);
    expect(kept).toMatchObject({ incidentId: incident.id, outcome: "unknown" });
    expect(kept?.summary).toContain("Recovery was not confirmed.");
  } finally {
    await store.close();
    await ledger.close();
    await rm(path, { recursive: true, force: true });
  }
});
