import { z } from "zod";
import { UnshipError } from "../../core/errors.ts";
import { ours } from "../../core/model/fenced.ts";
import { fencedIncident } from "../../core/model/fenced-incident.ts";
import { cleanText, name, redactSecrets, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, more, notice } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { page } from "../page.ts";

/** Lines longer than this are cut: a page must hold whole lines. */
const LINE = 2_000;

export const draftPostmortem = defineTool({
  name: "draft_postmortem",
  title: "Draft a postmortem",
  effect: "read",
  reach: "held",
  description:
    "The postmortem draft of an incident in Markdown, from the ledger alone: timeline, cause, impact, what was done, " +
    "what nobody could verify. Every statement in it is recorded; add what people know beside it.",
  input: z.strictObject({ incident: z.string().min(1).max(200), cursor }),
  output: z.strictObject({ notice, markdown: z.array(z.string()).describe("Line by line"), more }),
  async run({ incident: id, cursor: at }, { ledger, draft }) {
    if (draft === undefined)
      throw new UnshipError("input.invalid", { what: "draft_postmortem", reason: "no drafts are made here" });
    const incident = await ledger.incident(id);
    if (incident === null) throw new UnshipError("incident.unknown", { incident: name(id) });
    // As a whole first: a private key takes many lines.
    const lines = redactSecrets(await draft(fencedIncident(incident).incident))
      .split("\n")
      .map((line) => ours(cleanText(line, LINE)));
    const shown = page(lines, { cursor: at, limit: lines.length, question: id });
    return {
      notice: UNTRUSTED_NOTICE,
      markdown: [...shown.items],
      more: shown.more,
    };
  },
});
