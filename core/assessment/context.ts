import type { Config } from "../config/config.ts";
import { mergedTopology } from "../correlation/call-graph.ts";
import { topologyFromSpans } from "../correlation/span-edges.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Sources } from "../ports.ts";
import { type AskContext, ask } from "./ask.ts";

/** Log lines and spans read before and after the onset, each; newest first where there are more. */
const LINES = 2000;
const SPANS = 2000;
const BEFORE_MS = 3_600_000;

type Context = Pick<CaseFile, "topology" | "logs" | "spans" | "flags" | "alerts">;

/** What explains findings: logs and traces about the onset, the call graph, flags and alerts. */
export async function readContext(
  sources: Sources,
  config: Config,
  context: AskContext,
  since: number,
): Promise<Context> {
  const { now, abort } = context;
  const before = { from: Math.max(0, since - BEFORE_MS), to: since };
  const after = { from: since, to: now };
  const [logs, spans, graphs, flags, alerts] = await Promise.all([
    Promise.all(
      sources.logs.flatMap((source) => [
        ask(context, source.name, "logs before the onset", () =>
          source.search({ window: before, limit: LINES }, abort),
        ),
        ask(context, source.name, "logs", () => source.search({ window: after, limit: LINES }, abort)),
      ]),
    ),
    Promise.all(
      sources.traces.map((source) =>
        ask(context, source.name, "spans", () => source.spans({ window: after, limit: SPANS }, abort)),
      ),
    ),
    Promise.all(sources.topology.map((source) => ask(context, source.name, "topology", () => source.topology(abort)))),
    Promise.all(sources.flags.map((source) => ask(context, source.name, "flags", () => source.flags(abort)))),
    Promise.all(sources.alerts.map((source) => ask(context, source.name, "alerts", () => source.alerts(after, abort)))),
  ]);
  const allSpans = spans.flatMap((answer) => answer?.spans ?? []);
  const named = [config.topology, ...graphs, topologyFromSpans(allSpans, after)].filter((graph) => graph !== null);
  return {
    logs: logs.flatMap((answer) => answer?.lines ?? []).sort((a, b) => a.at - b.at),
    spans: allSpans,
    topology: mergedTopology(named),
    flags: flags.flatMap((answer) => answer ?? []),
    alerts: alerts.flatMap((answer) => answer ?? []),
  };
}
