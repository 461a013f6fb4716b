import { investigate } from "../../../agent/cli/investigate.ts";
import { postmortem } from "../../../agent/cli/postmortem.ts";
import { status } from "../../../agent/cli/status.ts";
import { toolContext } from "../../../agent/compose/chain.ts";
import { investigateOnce } from "../../../agent/compose/investigate.ts";
import { pastOf } from "../../../agent/compose/past.ts";
import { draftPostmortem } from "../../../agent/compose/postmortems.ts";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { standingGaps } from "../../../evals/replay/bundle-sources.ts";
import { type Episode, toEpisode } from "../../../evals/replay/episode.ts";
import { reportPage } from "../../../evals/replay/report/page.ts";
import { score } from "../../../evals/replay/score.ts";
import { sketchOf } from "../../../evals/replay/sketch.ts";
import { toolsFor } from "../../../mcp-tools/catalog.ts";
import { readResource } from "../../../mcp-tools/resources/resources.ts";
import { pastComposition } from "../lab/past-composition.ts";
import type { Stopped } from "./replayed.ts";

/** Everything that unship would show of its incidents at one moment, as it leaves the process. */
export interface Surfaces {
  readonly status: { readonly text: string; readonly json: StatusJson };
  /** Tools by name, of each incident by id; those that look at everything under "". */
  readonly tools: ReadonlyMap<string, ReadonlyMap<string, Json>>;
  /** The tools that judge, of closed incidents alone: they answer from the record then. */
  readonly recorded: ReadonlyMap<string, ReadonlyMap<string, Json>>;
  readonly resources: ReadonlyMap<string, Json>;
  readonly drafts: ReadonlyMap<string, { readonly md: string; readonly html: string }>;
  readonly investigated: ReadonlyMap<string, { readonly text: string; readonly json: Episode }>;
  readonly report: { readonly html: string; readonly episodes: ReadonlyMap<string, Episode> };
}

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire; a field that is not there is a contradiction.
export type Json = any;
export type StatusJson = { readonly open: readonly Json[]; readonly closed: readonly Json[] };

const OF_ONE = ["get_incident", "explain_decision", "rank_candidates", "assess_impact", "get_findings"] as const;

const FROM_RECORD: ReadonlySet<string> = new Set(["explain_decision", "rank_candidates", "assess_impact"]);

/** Asks every surface, each by the function that serves people or a client. */
export async function surfacesAt(stopped: Stopped): Promise<Surfaces> {
  const { config, clock, sources, ledger, gate, bundle, now, incidents } = stopped;
  const abort = new AbortController().signal;
  const kept = { ...ledger, close: async () => undefined };
  const drafting = { config, ledger, store: null } as const;
  const draft = (incident: Incident) => draftPostmortem(incident, { ...drafting, format: "md" });
  const file = await createAssessor({ sources, config }).gather(now, abort);
  const caseFile = { ...file, gaps: [...file.gaps, ...standingGaps(bundle)] };
  const context = {
    ...toolContext(
      { version: "test", config, clock, sources, ledger, store: null, gate },
      async () => caseFile,
      "test",
    ),
    draft,
  };
  const ask = async (name: string, args: unknown): Promise<Json> => {
    const tool = toolsFor(context, true).find((one) => one.name === name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    return (await tool.run(args, context, abort)).structured;
  };
  const tools = new Map<string, Map<string, Json>>();
  const recorded = new Map<string, Map<string, Json>>();
  const resources = new Map<string, Json>();
  const drafts = new Map<string, { md: string; html: string }>();
  const investigated = new Map<string, { text: string; json: Episode }>();
  const cli = (service?: string) => {
    const { composition, printed } = pastComposition(config, sources, now);
    return {
      printed,
      to: {
        ...composition,
        ledger: async () => kept,
        atWork: async () => ({ ledger: "the ledger", isThere: true, processes: [], gate: null }),
        hasEnded: async () => false,
        postmortem: (_: unknown, incident: Incident, format: "md" | "html") =>
          draftPostmortem(incident, { ...drafting, format }),
        investigate: async () => {
          const gaps = () => standingGaps(bundle);
          const about = { ask: service === undefined ? {} : { service }, past: await pastOf(ledger) };
          const parts = { version: "test", config, clock, sources, observe: async () => undefined, gaps, ...about };
          return investigateOnce(parts, abort);
        },
      },
    };
  };
  for (const { id, service, stage } of incidents) {
    const answers = new Map<string, Json>();
    const judged = new Map<string, Json>();
    for (const name of OF_ONE.filter((one) => stage !== "closed" || one !== "get_findings"))
      (stage === "closed" && FROM_RECORD.has(name) ? judged : answers).set(name, await ask(name, { incident: id }));
    tools.set(id, answers);
    recorded.set(id, judged);
    const read = await readResource(`unship://incidents/${id}`, context, abort);
    resources.set(id, JSON.parse(read?.text ?? "null"));
    const [md, html] = [cli(), cli()];
    await postmortem(md.to, id, { format: "md" });
    await postmortem(html.to, id, { format: "html" });
    drafts.set(id, { md: md.printed.out, html: html.printed.out });
    if (stage === "closed") continue;
    const [words, json] = [cli(service), cli(service)];
    await investigate(words.to, { service }, (incident) => toEpisode(incident), abort);
    await investigate(json.to, { service, json: true }, (incident) => toEpisode(incident), abort);
    investigated.set(id, { text: words.printed.out, json: JSON.parse(json.printed.out) });
  }
  const latest = new Map([
    ["open_only", await ask("search_incidents", { open_only: true })],
    ["latest", await ask("search_incidents", {})],
    ["situation", await ask("get_situation", {})],
  ]);
  tools.set("", latest);
  const open = await readResource("unship://open-incidents", context, abort);
  resources.set("", JSON.parse(open?.text ?? "null"));
  const [words, json] = [cli(), cli()];
  await status(words.to, {});
  await status(json.to, { json: true });
  const episodes = new Map(incidents.map((one) => [one.id, toEpisode(one)]));
  return {
    status: { text: words.printed.out, json: JSON.parse(json.printed.out) },
    tools,
    recorded,
    resources,
    drafts,
    investigated,
    report: { html: await reportOf(stopped, [...episodes.values()]), episodes },
  };
}

async function reportOf({ bundle }: Stopped, episodes: readonly Episode[]): Promise<string> {
  const { id } = bundle.incident;
  return reportPage({
    version: "test",
    configuration: "the example",
    scores: score([]),
    bundles: [{ id, episodes, truth: null, sketch: sketchOf(bundle, episodes) }],
  });
}
