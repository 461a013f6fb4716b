import { z } from "zod";
import { name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, limit, more, notice } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { page } from "../page.ts";

const ServiceView = z.strictObject({
  service: z.string(),
  criticality: z.string().nullable().describe("null: not configured"),
  mode: z.string(),
  never_automatic: z.boolean(),
  paused: z.boolean(),
  metrics: z.number().describe("Signals seen now"),
});

export const listServices = defineTool({
  name: "list_services",
  title: "List services",
  effect: "read",
  reach: "held",
  description:
    "The services that unship knows from its configuration and from what it measures, with the mode in which it works " +
    "on each (observe, approve, auto), and whether actions on it are paused or always need a person.",
  input: z.strictObject({ incident, limit: limit(200, 50), cursor }),
  output: z.strictObject({ notice, services: z.array(ServiceView), total: z.number(), more }),
  async run(input, { config, caseFile, ledger }) {
    const file = await caseFile(input.incident);
    const pauses = new Set((await ledger.pauses()).map(({ scope }) => scope));
    const signals = Map.groupBy(file.series, (series) => series.service);
    const edges = (file.topology?.edges ?? []).flat();
    const services = [...new Set([...Object.keys(config.services), ...signals.keys(), ...edges])].sort();
    const { cursor: at, limit: most, ...question } = input;
    const views = services.map((service) => ({
      service: name(service),
      criticality: config.services[service]?.criticality ?? null,
      mode: config.services[service]?.mode ?? config.mode,
      never_automatic: config.guardrails.neverAutoRollback.includes(service),
      paused: pauses.has("*") || pauses.has("all") || pauses.has(service),
      metrics: signals.get(service)?.length ?? 0,
    }));
    const { items, ...rest } = page(views, { cursor: at, limit: most, question });
    return { notice: UNTRUSTED_NOTICE, services: [...items], ...rest };
  },
});
