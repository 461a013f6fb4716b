import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { incidentTitle, planWords, stageWords, waitingPlan } from "../../core/guardrails/incident-text.ts";
import { asCarriedOut } from "../../core/guardrails/ledger-answer.ts";
import { acknowledgedWords, openIncidents } from "../../core/guardrails/open-incidents.ts";
import { knownLevel } from "../../core/impact/worst-first.ts";
import { actionOf } from "../../core/model/deed.ts";
import { type AllFenced, ours, own } from "../../core/model/fenced.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, more, notice, service } from "../arguments.ts";
import type { ToolContext } from "../context.ts";
import { defineTool } from "../define-tool.ts";
import { figure } from "../figures.ts";
import { page } from "../page.ts";
import { needsPerson, runsWhenItMay } from "../plan-view.ts";

const Hit = z.strictObject({
  incident: z.string(),
  at: z.string(),
  summary: z.string(),
  outcome: z.string(),
  score: z.number().nullable(),
  waits: z.string().optional(),
});

const MOST = 50;
const USUAL = 5;
const Input = z.strictObject({
  text: z.string().max(1_000).optional(),
  service,
  open_only: z.boolean().default(false).describe("Without text"),
  limit: z.int().min(1).max(MOST).optional(),
  cursor,
});

export const searchIncidents = defineTool({
  name: "search_incidents",
  title: "Search incidents",
  effect: "read",
  reach: "held",
  description:
    "Past incidents that resemble a description (`text`: services, metrics, error messages), best first; without text " +
    "the latest incidents, newest first; with `open_only` all open ones, worst first, and how to answer the plan that " +
    "waits in each. Memory is advice about where to search, never evidence.",
  input: Input,
  output: z.strictObject({ notice, incidents: z.array(Hit), total: z.number(), more }),
  async run(input, context) {
    const { text, service: of, open_only, limit: most = USUAL } = input;
    const { ledger, incidents } = context;
    if (open_only && (text === undefined || text.trim() === "")) return openOnes(input, context);
    if (text === undefined || text.trim() === "") {
      const latest = await ledger.incidents({ limit: 200 });
      const shown = latest
        .filter((one) => of === undefined || one.service === of || one.affectedServices.includes(of))
        .toSorted((a, b) => b.detectedAt - a.detectedAt)
        .slice(0, most);
      const carried = await Promise.all(shown.map((one) => asCarriedOut(one, ledger)));
      const hits = carried.map((one) => ({
        incident: name(one.id),
        at: rfc3339(one.detectedAt),
        summary: own`${name(one.service)}: ${one.stage}, ${actionOf(one) ?? "no decision yet"}`,
        outcome: name(one.outcome ?? "open"),
        score: null,
      }));
      return asManyAsFit(hits);
    }
    if (incidents === null) throw new UnshipError("store.unavailable", { reason: "no memory is open here" });
    const recalled = await incidents.recall({ text, limit: most, ...(of === undefined ? {} : { services: [of] }) });
    const hits = recalled.slice(0, most).map(({ incidentId, at, summary, outcome, score }) => ({
      incident: name(incidentId),
      at: rfc3339(at),
      summary: quote(summary, 600),
      outcome: name(outcome),
      score: figure(score),
    }));
    return asManyAsFit(hits);
  },
});

/** The best ones come first: what does not fit is what matters least. */
function asManyAsFit(hits: readonly AllFenced<z.infer<typeof Hit>>[]) {
  const { items } = page(hits, { limit: hits.length, question: "" });
  return { notice: UNTRUSTED_NOTICE, incidents: [...items], total: items.length, more: null };
}

/** All that are open, worst first; a page of them where they do not fit. */
async function openOnes(
  { service: of, limit: most, cursor: at }: z.output<typeof Input>,
  { ledger, config, clock }: ToolContext,
) {
  const now = clock.now();
  const open = (await openIncidents(ledger, config.services, now)).filter(
    ({ incident }) => of === undefined || incident.service === of || incident.affectedServices.includes(of),
  );
  const hits = open.map(({ incident: stored, acknowledged, approved }): AllFenced<z.infer<typeof Hit>> => {
    const { incident } = fencedIncident(stored);
    const plan = waitingPlan(incident, now, approved);
    const does = plan === null ? "" : own`; plan ${name(plan.id)}: ${ours(planWords(plan))}`;
    const quiet = acknowledged === null ? "" : own`, ${quote(acknowledgedWords(acknowledged, now), 300)}`;
    return {
      incident: incident.id,
      at: rfc3339(incident.detectedAt),
      summary: ours(
        cleanText(own`impact ${knownLevel(incident)}: ${ours(incidentTitle(incident, now))}${does}${quiet}`, 400),
      ),
      outcome: own`open: ${ours(stageWords(incident, now, approved))}`,
      score: null,
      ...(plan === null ? {} : { waits: needsPerson(plan.id) }),
      ...(approved === null ? {} : { waits: runsWhenItMay(approved.by) }),
    };
  });
  const { items, ...rest } = page(hits, { cursor: at, limit: most ?? MOST, question: ["open", of ?? null] });
  return { notice: UNTRUSTED_NOTICE, incidents: [...items], ...rest };
}
