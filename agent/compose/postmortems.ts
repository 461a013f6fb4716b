import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "../../core/config/config.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { IncidentStore, Ledger } from "../../core/ports.ts";
import { postmortem } from "../../knowledge/postmortem.ts";

/** Writes the draft of an incident beside the ledger, with its chart, and returns where it stands. */
export async function writePostmortem(
  incident: Incident,
  caseFile: CaseFile | null,
  { config, ledger, store }: { readonly config: Config; readonly ledger: Ledger; readonly store: IncidentStore | null },
): Promise<string> {
  const folder = join(dirname(config.ledger.path), "postmortems");
  mkdirSync(folder, { recursive: true });
  const path = resolve(folder, `${incident.id}.md`);
  writeFileSync(path, await draftPostmortem(incident, caseFile, { ledger, store, format: "md" }));
  return path;
}

/** The draft's text from what the ledger holds. */
export async function draftPostmortem(
  incident: Incident,
  caseFile: CaseFile | null,
  {
    ledger,
    store,
    format,
  }: { readonly ledger: Ledger; readonly store: IncidentStore | null; readonly format: "md" | "html" },
): Promise<string> {
  void caseFile;
  void format;
  const entries = await ledger.entries({ incidentId: incident.id });
  const recalled =
    store === null
      ? []
      : await store.recall({ text: incident.service, services: incident.affectedServices, limit: 3 }).catch(() => []);
  return postmortem(incident, entries, recalled);
}
