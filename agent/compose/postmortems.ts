import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "../../core/config/config.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { IncidentStore, Ledger } from "../../core/ports.ts";
import { postmortemChart } from "../../knowledge/chart.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { postmortemHtml } from "../../knowledge/postmortem-html.ts";

export interface PostmortemParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly store: IncidentStore | null;
}

/** How many similar incidents a draft mentions. */
const RECALLED = 3;

/** Writes the draft of an incident and its chart beside the ledger, and returns where the draft stands. */
export async function writePostmortem(
  incident: Incident,
  caseFile: CaseFile | null,
  parts: PostmortemParts,
): Promise<string> {
  const folder = folderOf(parts.config);
  mkdirSync(folder, { recursive: true });
  const chart = caseFile === null ? null : await postmortemChart(incident, caseFile.series);
  if (chart !== null) writeFileSync(join(folder, chartName(incident)), chart);
  const path = resolve(folder, `${incident.id}.md`);
  writeFileSync(path, await draftPostmortem(incident, caseFile, { ...parts, format: "md" }));
  return path;
}

/**
 * The draft's text from what the ledger holds, on demand. The chart is the one that was drawn when the incident
 * closed, if it stands: the signals of that hour may be gone by now.
 */
export async function draftPostmortem(
  incident: Incident,
  caseFile: CaseFile | null,
  { config, ledger, store, format }: PostmortemParts & { readonly format: "md" | "html" },
): Promise<string> {
  const entries = await ledger.entries({ incidentId: incident.id });
  const text = [incident.service, ...incident.findings.map(({ because }) => because)].join(" ");
  const similar = await store
    ?.recall({ text, services: incident.affectedServices, limit: RECALLED + 1 })
    .catch(() => []);
  const recalled = (similar ?? []).filter(({ incidentId }) => incidentId !== incident.id).slice(0, RECALLED);
  const chart = join(folderOf(config), chartName(incident));
  const drawn = existsSync(chart);
  const markdown = postmortem(incident, entries, recalled, {
    ...(caseFile === null ? {} : { series: caseFile.series }),
    ...(drawn ? { chartFile: chartName(incident) } : {}),
  });
  return format === "md" ? markdown : postmortemHtml(markdown, drawn ? readFileSync(chart, "utf8") : null);
}

/** Beside the ledger's file; beside the memory where the ledger lies on a server, or is the gate's alone. */
const folderOf = ({ ledger, knowledge, gate }: Config) =>
  join(dirname(ledger.type === "sqlite" && gate === undefined ? ledger.path : knowledge.path), "postmortems");
const chartName = ({ id }: Incident) => `${id}.svg`;
