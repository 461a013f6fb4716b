import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Config } from "../../core/config/config.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import type { Incident } from "../../core/model/incident.ts";
import { asRecorded } from "../../core/model/recorded.ts";
import { Series } from "../../core/model/signal.ts";
import type { IncidentStore, Ledger, LedgerEntry } from "../../core/ports.ts";
import { postmortemChart } from "../../knowledge/chart.ts";
import { chartSamples } from "../../knowledge/postmortem/chart-window.ts";
import { postmortem } from "../../knowledge/postmortem.ts";
import { postmortemHtml } from "../../knowledge/postmortem-html.ts";

export interface PostmortemParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly store: IncidentStore | null;
}

/** How many similar incidents a draft mentions. */
const RECALLED = 3;

/**
 * Writes the draft of an incident beside the ledger, with its chart and the samples of that (`INCIDENT.md`, `.svg` and
 * `.samples.json`), and returns the draft's path. What cannot be measured any more keeps the chart that was drawn before.
 */
export async function writePostmortem(
  incident: Incident,
  caseFile: CaseFile | null,
  parts: PostmortemParts,
): Promise<string> {
  const folder = folderOf(parts.config);
  mkdirSync(folder, { recursive: true });
  const recorded = asRecorded(incident);
  const samples = chartSamples(recorded, caseFile?.series ?? []);
  const chart = await postmortemChart(recorded, samples);
  if (chart !== null) {
    writeFileSync(join(folder, samplesName(incident)), `${JSON.stringify(samples)}\n`);
    writeFileSync(join(folder, chartName(incident)), chart);
  }
  const path = resolve(folder, `${incident.id}.md`);
  writeFileSync(path, await draftPostmortem(incident, { ...parts, format: "md" }));
  return path;
}

/**
 * The draft's text from what the ledger holds, on demand. Its chart is drawn from the samples that were kept when the
 * draft was written: the source may not have those of that hour any more.
 */
export async function draftPostmortem(
  incident: Incident,
  { config, ledger, store, format }: PostmortemParts & { readonly format: "md" | "html" },
): Promise<string> {
  const entries = await entriesOf(incident, ledger);
  const text = [incident.service, ...incident.findings.map(({ because }) => because)].join(" ");
  const similar = await store
    ?.recall({ text, services: incident.affectedServices, limit: RECALLED + 1 })
    .catch(() => []);
  const recalled = (similar ?? []).filter(({ incidentId }) => incidentId !== incident.id).slice(0, RECALLED);
  const folder = folderOf(config);
  const chart = join(folder, chartName(incident));
  const drawn = existsSync(chart);
  const markdown = postmortem(incident, entries, recalled, {
    series: keptSamples(join(folder, samplesName(incident))),
    ...(drawn ? { chartFile: chartName(incident) } : {}),
  });
  return format === "md" ? markdown : postmortemHtml(markdown, drawn ? readFileSync(chart, "utf8") : null);
}

/** The ledger's entries of an incident, and of a plan outside it that was carried out for it; oldest first. */
async function entriesOf({ id, gate, plan }: Incident, ledger: Ledger): Promise<readonly LedgerEntry[]> {
  const own = await ledger.entries({ incidentId: id });
  const planId = gate?.planId ?? plan?.id;
  const others = planId === undefined ? [] : await ledger.entries({ planId });
  return [...own, ...others.filter(({ incidentId }) => incidentId !== id)].toSorted((a, b) => a.seq - b.seq);
}

/** None where no chart was drawn, or where the file is none that unship wrote: the draft then says that it has no chart. */
function keptSamples(path: string): readonly Series[] {
  if (!existsSync(path)) return [];
  try {
    return z.array(Series).parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return [];
  }
}

/** Beside the ledger's file; beside the memory where the ledger lies on a server, or is the gate's alone. */
const folderOf = ({ ledger, knowledge, gate }: Config) =>
  join(dirname(ledger.type === "sqlite" && gate === undefined ? ledger.path : knowledge.path), "postmortems");
const chartName = ({ id }: Incident) => `${id}.svg`;
const samplesName = ({ id }: Incident) => `${id}.samples.json`;
