import { join } from "node:path";
import { incidentLines, incidentTitle } from "../../../core/guardrails/incident-text.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { asItStands } from "../../../core/model/recorded.ts";
import type { LedgerDraft } from "../../../core/ports.ts";
import { replayed } from "./replayed.ts";
import { surfacesAt } from "./surfaces.ts";

const BUNDLE = join(import.meta.dirname, "../../../evals/data/incidents/case-0233c8fa");

/** The tools that judge the present evidence: of an open incident in a made-up state they tell of another one. */
const BY_EVIDENCE = new Set(["explain_decision", "rank_candidates", "assess_impact", "get_findings"]);

/**
 * What each surface shows of an incident whose plan waits, in each of the states that `states` gives it: its text by the
 * surface's name, JSON as such. `done`: what the ledger says beside the record in all of them.
 */
export async function shownOf<Name extends string>(
  states: Readonly<Record<Name, (incident: Incident, now: number) => Incident>>,
  done: (incident: Incident) => readonly LedgerDraft[] = () => [],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const all = new Map<string, ReadonlyMap<string, string>>();
  await replayed(BUNDLE, "approve", async (stopped) => {
    const [real] = stopped.incidents;
    if (all.size > 0 || real === undefined || !stopped.when.includes("a plan waits")) return;
    const { ledger, now, config } = stopped;
    for (const draft of done(real)) await ledger.append(draft);
    for (const [name, change] of Object.entries<(typeof states)[Name]>(states)) {
      await ledger.saveIncident(change(real, now));
      const incident = await ledger.incident(real.id);
      if (incident === null) throw new Error("the incident was not saved");
      all.set(name, await shown(incident));
    }
    // What follows in the replay is the true story.
    await ledger.saveIncident(real);

    async function shown(incident: Incident): Promise<ReadonlyMap<string, string>> {
      const said = await surfacesAt({ ...stopped, incidents: [incident] });
      const told = asItStands(incident);
      const telling = { now, open: [incident], services: config.services };
      const tools = [...said.tools, ...said.recorded].flatMap(([id, answers]) =>
        [...answers].flatMap(([tool, answer]) =>
          incident.stage !== "closed" && BY_EVIDENCE.has(tool)
            ? []
            : [[id === "" ? `search_incidents ${tool}` : tool, answer] as const],
        ),
      );
      const drafts = [...said.drafts.values()];
      const surfaces: readonly (readonly [string, unknown])[] = [
        ["status", said.status.text.split("How far each service has come")[0]],
        ["status --json", [...said.status.json.open, ...said.status.json.closed]],
        ["notice", [incidentTitle(told, now), ...incidentLines(told, telling)].join("\n")],
        ...tools,
        ...[...said.resources].map(
          ([id, answer]) => [id === "" ? "unship://open-incidents" : "unship://incidents", answer] as const,
        ),
        ...drafts.map(({ md }) => ["postmortem", md] as const),
        ...drafts.map(({ html }) => ["postmortem --format html", html.replace(/<style>.*?<\/style>/s, "")] as const),
        ...[...said.report.episodes.values()].map((one) => ["episode", one] as const),
        ["replay's report", said.report.html.replace(/<style>.*?<\/style>/s, "")],
      ];
      return new Map(
        surfaces.map(([where, what]) => [where, typeof what === "string" ? what : JSON.stringify(what, null, 1)]),
      );
    }
  });
  if (all.size === 0) throw new Error("no plan ever waited");
  return all;
}
