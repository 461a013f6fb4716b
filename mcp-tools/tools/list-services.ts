import { z } from "zod";
import { asAtWork, otherVersions } from "../../core/config/at-work-mode.ts";
import type { Config } from "../../core/config/config.ts";
import type { CaseFile } from "../../core/model/assessment.ts";
import { own } from "../../core/model/fenced.ts";
import { name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, limit, more, notice } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { onceFor } from "../once-for.ts";
import { page } from "../page.ts";
import { KeptResult } from "../result.ts";

const ServiceView = z.strictObject({
  service: z.string(),
  criticality: z.string().nullable().describe("null: not configured"),
  mode: z.string(),
  never_automatic: z.boolean(),
  paused: z.boolean(),
  metrics: z.number().describe("Signals seen now"),
});

const Input = z.strictObject({ incident, limit: limit(200, 50), cursor });

/** How many series each service has, and the names of all that the evidence knows: those, and the call graph's. */
const measured = (file: CaseFile) =>
  onceFor([file], "measured", null, () => {
    const signals = new Map<string, number>();
    for (const { service } of file.series) signals.set(service, (signals.get(service) ?? 0) + 1);
    return { signals, names: new Set([...signals.keys(), ...(file.topology?.edges ?? []).flat()]) };
  });

export const listServices = defineTool({
  name: "list_services",
  title: "List services",
  effect: "read",
  reach: "held",
  description:
    "The services that unship knows from its configuration and from what it measures, each with its mode (observe, " +
    "approve, auto), and whether actions on it are paused or always need a person.",
  input: Input,
  output: z.strictObject({ notice, services: z.array(ServiceView), total: z.number(), more }),
  async run(input, { config: read, caseFile, ledger, atWork }) {
    const working = (await atWork?.()) ?? [];
    const config = asAtWork(read, working);
    const differ = otherVersions(read, working).length > 0;
    const file = await caseFile(input.incident);
    const paused = (await ledger.pauses()).map(({ scope }) => scope);
    const made = () => new KeptResult(answerTo(input, file, config, new Set(paused), differ));
    return onceFor([file, read], "list_services", [input, paused, config.mode, config === read, differ], made);
  },
});

/** What a service may do by a file that is not the one obeyed is not what may be done to it. */
const OTHER_VERSION =
  "CAUTION: what may execute plans obeys another version of the configuration than this server read; modes, never_automatic and criticality are by this server's. unship://policy says who.";

function answerTo(
  input: z.output<typeof Input>,
  file: CaseFile,
  config: Config,
  pauses: ReadonlySet<string>,
  differ: boolean,
) {
  const { signals, names } = measured(file);
  const services = [...new Set([...Object.keys(config.services), ...names])].sort();
  const { cursor: at, limit: most, ...question } = input;
  const views = services.map((service) => ({
    service: name(service),
    criticality: nameOrNull(config.services[service]?.criticality),
    mode: name(config.services[service]?.mode ?? config.mode),
    never_automatic: config.guardrails.neverAutoRollback.includes(service),
    paused: pauses.has("*") || pauses.has("all") || pauses.has(service),
    metrics: signals.get(service) ?? 0,
  }));
  const { items, ...rest } = page(views, { cursor: at, limit: most, question });
  const notice = differ ? own`${UNTRUSTED_NOTICE} ${OTHER_VERSION}` : UNTRUSTED_NOTICE;
  return { notice, services: [...items], ...rest };
}

const nameOrNull = (text: string | null | undefined) => (text === null || text === undefined ? null : name(text));
