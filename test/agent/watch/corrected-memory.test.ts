import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { correctRefuted } from "../../../agent/watch/corrected-memory.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { forgetForGood } from "../../../knowledge/rebuild.ts";
import { incident } from "../../knowledge/incidents.ts";

const toldAt = incident.recovery?.at ?? 0;
const endedAt = toldAt + 5_000;
/** Began before the recovery was told, and is known since a minute after it. */
const later: Incident = {
  ...incident,
  id: "later",
  detectedAt: toldAt + 60_000,
  closedAt: toldAt + 600_000,
  onset: { at: toldAt - 2, earliest: toldAt - 3, latest: toldAt - 1 },
};

it.each<readonly [string, Incident, readonly string[], readonly (readonly [string, string | null])[]]>([
  ["a later incident that began before it was told: unknown", later, [], [[incident.id, "unknown"]]],
  ["but nothing that a person had forgotten comes back", later, [incident.id], []],
  [
    "one that began after it leaves it alone",
    { ...later, onset: { at: endedAt, earliest: toldAt + 1, latest: endedAt } },
    [],
    [],
  ],
  ["one of which nobody knows when it began leaves it alone", { ...later, onset: null }, [], []],
])("corrects what the memory holds of a recovery by %s", async (_, other, forgotten, corrected) => {
  const path = await mkdtemp(join(tmpdir(), "unship-corrected-"));
  const ledger = await openSqliteLedger(join(path, "ledger.db"), { clock: { now: () => endedAt } });
  const remembered: (readonly [string, string | null])[] = [];
  const store = { remember: async ({ id, outcome }: Incident) => void remembered.push([id, outcome]) };
  try {
    await ledger.saveIncident(incident);
    for (const id of forgotten) await forgetForGood(id, "cli", { forget: async () => {} }, ledger);
    await correctRefuted(other, store, ledger);
    expect(remembered).toEqual(corrected);
  } finally {
    await ledger.close();
    await rm(path, { recursive: true, force: true });
  }
});
