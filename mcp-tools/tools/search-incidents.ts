import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { limit, notice, service } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { figure } from "../figures.ts";
import { page } from "../page.ts";

const Hit = z.strictObject({
  incident: z.string(),
  at: z.string(),
  summary: z.string(),
  outcome: z.string(),
  score: z.number().nullable(),
});

export const searchIncidents = defineTool({
  name: "search_incidents",
  title: "Search incidents",
  effect: "read",
  reach: "held",
  description:
    "Past incidents that resemble a description (`text`: services, metrics, error messages), best first; without text " +
    "the latest incidents, newest first. Memory is advice about where to look. It is never evidence about the incident " +
    "at hand: what was true then may not be true now.",
  input: z.strictObject({
    text: z.string().max(1_000).optional(),
    service,
    open_only: z.boolean().default(false).describe("Only incidents that are not closed; without text"),
    limit: limit(20, 5),
  }),
  output: z.strictObject({ notice, incidents: z.array(Hit) }),
  async run({ text, service: of, open_only, limit: most }, { ledger, incidents }) {
    if (text === undefined || text.trim() === "") {
      const latest = await ledger.incidents(open_only ? { open: true, limit: 200 } : { limit: 200 });
      const hits = latest
        .filter((one) => of === undefined || one.service === of || one.affectedServices.includes(of))
        .toSorted((a, b) => b.detectedAt - a.detectedAt)
        .slice(0, most)
        .map((one) => ({
          incident: name(one.id),
          at: rfc3339(one.detectedAt),
          summary: quote(`${one.service}: ${one.stage}, ${one.decision?.action ?? "no decision yet"}`, 200),
          outcome: one.outcome ?? "open",
          score: null,
        }));
      return { notice: UNTRUSTED_NOTICE, incidents: [...asManyAsFit(hits)] };
    }
    if (incidents === null) throw new UnshipError("store.unavailable", { reason: "no memory is open here" });
    const recalled = await incidents.recall({ text, limit: most, ...(of === undefined ? {} : { services: [of] }) });
    const hits = recalled.slice(0, most).map(({ incidentId, at, summary, outcome, score }) => ({
      incident: name(incidentId),
      at: rfc3339(at),
      summary: quote(summary, 600),
      outcome,
      score: figure(score),
    }));
    return { notice: UNTRUSTED_NOTICE, incidents: [...asManyAsFit(hits)] };
  },
});

/** The best ones come first: what does not fit is what matters least. */
const asManyAsFit = <T>(hits: readonly T[]): readonly T[] => page(hits, { limit: hits.length, question: "" }).items;
