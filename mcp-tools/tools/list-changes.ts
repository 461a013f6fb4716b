import { z } from "zod";
import { ChangeKind } from "../../core/model/change.ts";
import { STEP_ANSWERS } from "../../core/model/step-answers.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, limit, more, notice, service } from "../arguments.ts";
import { ChangeView, changeView, infrastructureView } from "../change-view.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseUnknownService, servicesOf } from "../known-service.ts";
import { openCase } from "../open-case.ts";
import { page } from "../page.ts";

/** So many suspects' ids come with the first answer; the rest follow the last change. */
const IDS_FIRST = 200;

export const listChanges = defineTool({
  name: "list_changes",
  title: "List changes",
  effect: "read",
  reach: "held",
  description:
    "Deploys, flag, config and migration changes, newest first, and in `recent` which of them " +
    "count as suspects: those in the configured window before the earliest credible onset. Recent is not the culprit; " +
    "see rank_candidates. Infrastructure is never undone.",
  input: z.strictObject({
    incident,
    service,
    kind: z.enum([...ChangeKind.options, "infrastructure"]).optional(),
    recent_only: z.boolean().default(false).describe("Only those in `recent`"),
    limit: limit(100, 20),
    cursor,
  }),
  output: z.strictObject({
    notice,
    at: z.string(),
    recent: STEP_ANSWERS.identify_recent_deployments.describe("onset: Unix ms, null: nothing is wrong"),
    changes: z.array(ChangeView),
    total: z.number(),
    more,
    gaps,
  }),
  async run(input, context) {
    const { file, answer, once, sentence } = await openCase(context, input.incident);
    refuseUnknownService(input.service, servicesOf(file, context.config));
    return once("list_changes", input, () => {
      const recent = answer("identify_recent_deployments", {});
      const inWindow = new Set(recent.changeIds);
      const all = [
        ...file.changes.map((change) => ({ view: () => changeView(change), ...change })),
        ...(file.infrastructure ?? []).map((change) => ({
          view: () => infrastructureView(change),
          service: change.place,
          ...change,
        })),
      ];
      const wanted = all
        .filter((change) => input.service === undefined || change.service === input.service)
        .filter((change) => input.kind === undefined || change.kind === input.kind)
        .filter((change) => !input.recent_only || inWindow.has(name(change.id)))
        .toSorted((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1));
      const { cursor: at, limit: most, ...question } = input;
      const rows = [
        ...wanted.map((change) => ({ change: change.view(), id: null })),
        ...recent.changeIds.slice(IDS_FIRST).map((id) => ({ change: null, id })),
      ];
      const shown = page(rows, { cursor: at, limit: most, question });
      const ids = at === undefined ? recent.changeIds.slice(0, IDS_FIRST) : [];
      const later = shown.items.flatMap(({ id }) => (id === null ? [] : [id]));
      return {
        notice: UNTRUSTED_NOTICE,
        at: rfc3339(file.at),
        recent: { ...recent, changeIds: [...ids, ...later] },
        changes: shown.items.flatMap(({ change }) => (change === null ? [] : [change])),
        total: wanted.length,
        more: shown.more,
        gaps: gapViews(file.gaps, sentence),
      };
    });
  },
});
