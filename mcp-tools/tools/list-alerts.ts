import { z } from "zod";
import type { Alert } from "../../core/model/evidence.ts";
import { type AllFenced, joined, own } from "../../core/model/fenced.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, limit, more, notice } from "../arguments.ts";
import { askAll } from "../ask-sources.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { page } from "../page.ts";
import { windowFields, windowOf } from "../time-window.ts";

const AlertView = z.strictObject({
  alert: z.string(),
  status: z.string(),
  labels: z.string(),
  text: z.string().optional(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
});

/** Labels tell alerts apart; nobody reads more of them. */
const LABELS = 12;

export const listAlerts = defineTool({
  name: "list_alerts",
  title: "List alerts",
  effect: "read",
  reach: "sources",
  description:
    "Alerts of other systems in a window, firing ones first, then newest first. An alert is somebody's rule, not a " +
    "finding of unship (get_findings).",
  input: z.strictObject({
    label: z.string().max(200).optional().describe("name=value that it must carry"),
    ...windowFields,
    limit: limit(100, 20),
    cursor,
  }),
  output: z.strictObject({ notice, alerts: z.array(AlertView), total: z.number(), more, gaps }),
  async run(input, { sources, clock }, abort) {
    const window = windowOf(input, clock.now());
    const asked = await askAll(
      sources.alerts,
      { of: "alerts", what: "alerts" },
      (source) => source.alerts(window, abort),
      abort,
    );
    const wanted = asked.answers
      .flat()
      .filter(({ labels }) => input.label === undefined || labelTexts(labels).includes(input.label))
      .toSorted(
        (a, b) =>
          Number(b.status === "firing") - Number(a.status === "firing") ||
          b.startsAt - a.startsAt ||
          a.fingerprint.localeCompare(b.fingerprint, "en"),
      );
    const { cursor: at, limit: most, ...question } = input;
    const { items, ...rest } = page(wanted.map(alertView), { cursor: at, limit: most, question });
    return { notice: UNTRUSTED_NOTICE, alerts: [...items], ...rest, gaps: gapViews(asked.gaps) };
  },
});

const labelTexts = (labels: Alert["labels"]) => Object.entries(labels).map(([key, value]) => `${key}=${value}`);

function alertView({
  labels,
  annotations,
  status,
  startsAt,
  endsAt,
  fingerprint,
}: Alert): AllFenced<z.infer<typeof AlertView>> {
  const { alertname, ...others } = labels;
  const text = annotations.summary ?? annotations.description;
  return {
    alert: name(alertname ?? fingerprint),
    status: name(status),
    labels: joined(
      Object.entries(others)
        .slice(0, LABELS)
        .map(([key, value]) => own`${name(key)}=${name(value)}`),
      ",",
    ),
    ...(text === undefined ? {} : { text: quote(text, 300) }),
    started_at: rfc3339(startsAt),
    ended_at: rfc3339(endsAt),
  };
}
