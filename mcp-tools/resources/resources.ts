import { asAtWork, modeText, otherVersionLines } from "../../core/config/at-work-mode.ts";
import { explain } from "../../core/config/explain.ts";
import { UnshipError } from "../../core/errors.ts";
import { worstFirst } from "../../core/impact/worst-first.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanText, name, quote } from "../../core/model/untrusted-text.ts";
import type { ToolContext } from "../context.ts";
import { cursorOf, page, startOf } from "../page.ts";
import { targetText } from "../plan-view.ts";
import { answerOf } from "../result.ts";
import { WEIGHT_A_TOKEN } from "../token-weight.ts";
import { draftPostmortem } from "../tools/draft-postmortem.ts";
import { getIncident } from "../tools/get-incident.ts";
import { searchIncidents } from "../tools/search-incidents.ts";

/** What clients attach to a conversation: the same facts as the tools give, under an address. Only reading. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly mimeType: string;
}

export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
}

const POLICY: Resource = {
  uri: "unship://policy",
  name: "policy",
  title: "What unship may do here, in plain words",
  mimeType: "text/plain",
};

const OPEN: Resource = {
  uri: "unship://open-incidents",
  name: "open incidents",
  title: "All open incidents, worst first, and how to answer the plans that wait",
  mimeType: "application/json",
};

const kinds = {
  incidents: {
    uriTemplate: "unship://incidents/{incident}",
    name: "incident",
    title: "Incident",
    description: "One incident as the ledger holds it",
    mimeType: "application/json",
  },
  plans: {
    uriTemplate: "unship://plans/{plan}",
    name: "plan",
    title: "Plan",
    description: "One plan: its targets, why, by whom, until when",
    mimeType: "application/json",
  },
  postmortems: {
    uriTemplate: "unship://postmortems/{incident}",
    name: "postmortem",
    title: "Postmortem draft",
    description: "The draft of one incident",
    mimeType: "text/markdown",
  },
} as const satisfies Record<string, ResourceTemplate>;

/** Postmortems only where drafts are made. */
export function resourceTemplates({ draft }: ToolContext): readonly ResourceTemplate[] {
  return [kinds.incidents, kinds.plans, ...(draft === undefined ? [] : [kinds.postmortems])];
}

/** Incidents of one page of the list, as far as a result's room holds them. */
const PAGE = 50;
const QUESTION = "resources";

/**
 * Policy and the list of open incidents first, then the incidents, open ones first (worst first), then newest first, each with its plan and its draft; `next` is null on the last page.
 * Throws "input.invalid" for a cursor that is none of ours.
 */
export async function listResources(
  { ledger, draft, config }: ToolContext,
  cursor: string | undefined,
): Promise<{ readonly resources: readonly Resource[]; readonly next: string | null }> {
  const all = await ledger.incidents();
  const open = worstFirst(
    all.filter(({ stage }) => stage !== "closed"),
    config.services,
  );
  const incidents = [...open, ...all.filter(({ stage }) => stage === "closed")];
  const from = startOf(cursor, QUESTION);
  const of = (kind: ResourceTemplate, id: string, title: string): Resource => ({
    uri: kind.uriTemplate.replace(/\{\w+\}/, encodeURIComponent(id)),
    name: `${kind.name} ${name(id)}`,
    title: cleanText(title, 200),
    mimeType: kind.mimeType,
  });
  const groups = incidents
    .slice(from, from + PAGE)
    .map(({ id, service, stage, detectedAt, plan }) => [
      of(kinds.incidents, id, `${name(service)}, ${rfc3339(detectedAt)}: ${stage}`),
      ...(plan === null ? [] : [of(kinds.plans, plan.id, `Plan for ${name(service)}`)]),
      ...(draft === undefined ? [] : [of(kinds.postmortems, id, `Postmortem draft of ${name(id)}`)]),
    ]);
  const { items } = page(groups, { limit: PAGE, question: QUESTION });
  const end = from + items.length;
  return {
    resources: [...(cursor === undefined ? [POLICY, OPEN] : []), ...items.flat()],
    next: end < incidents.length ? cursorOf(end, QUESTION) : null,
  };
}

/** What stands at an address, at most as large as a tool's result; null: nothing has this address. */
export async function readResource(
  uri: string,
  context: ToolContext,
  abort: AbortSignal,
): Promise<{ readonly mimeType: string; readonly text: string } | null> {
  if (uri === POLICY.uri) {
    const atWork = (await context.atWork?.()) ?? [];
    const { mode } = context.config;
    const config = asAtWork(context.config, atWork);
    const file = "the configuration that this server read";
    const differs = [
      ...(config.mode === mode ? [] : [modeText(context.config, file, atWork)]),
      ...otherVersionLines(context.config, file, atWork),
    ];
    const other = differs.length === 0 ? [] : [...differs, ""];
    return {
      mimeType: POLICY.mimeType,
      text: bounded([...other, ...explain(config)].map((line) => cleanText(line, 1_000))),
    };
  }
  if (uri === OPEN.uri) {
    const { text } = await searchIncidents.run({ open_only: true }, context, abort);
    return { mimeType: OPEN.mimeType, text };
  }
  const address = addressed(uri);
  if (address === null) return null;
  try {
    return await read(address.kind, address.id, context, abort);
  } catch (error) {
    if (error instanceof UnshipError && ["incident.unknown", "plan.unknown"].includes(error.code)) return null;
    throw error;
  }
}

/** What one of our addresses names; null: it is none of an incident, a plan or a draft. */
export function addressed(uri: string): { readonly kind: keyof typeof kinds; readonly id: string } | null {
  const [, kind, id] = /^unship:\/\/(incidents|plans|postmortems)\/([^/?#]{1,300})$/.exec(uri) ?? [];
  if (kind === undefined || id === undefined) return null;
  try {
    return { kind: kind as keyof typeof kinds, id: decodeURIComponent(id) }; // as: the pattern allows no other
  } catch {
    return null; // no text is encoded so
  }
}

/** Whether this is the address of the list of open incidents. */
export const isOpenIncidents = (uri: string): boolean => uri === OPEN.uri;

async function read(kind: keyof typeof kinds, id: string, context: ToolContext, abort: AbortSignal) {
  if (kind === "incidents") {
    const { text } = await getIncident.run({ incident: id, limit: 100 }, context, abort);
    return { mimeType: kinds.incidents.mimeType, text };
  }
  if (kind === "plans") {
    const plan = await context.ledger.plan(id);
    if (plan === null) return null;
    const targets = page(plan.targets.map(targetText), { limit: 100, question: id });
    const { text } = answerOf({
      plan_id: plan.id,
      hash: plan.hash,
      incident: name(plan.incidentId),
      targets: [...targets.items],
      targets_left_out: targets.total - targets.items.length,
      reason: quote(plan.reason, 600),
      proposed_by: name(plan.proposedBy),
      created_at: rfc3339(plan.createdAt),
      expires_at: rfc3339(plan.expiresAt),
    });
    return { mimeType: kinds.plans.mimeType, text };
  }
  if (context.draft === undefined) return null;
  const { structured } = await draftPostmortem.run({ incident: id }, context, abort);
  const { markdown, more } = structured;
  const rest = more === null ? "" : "\n\n(The rest of this draft: draft_postmortem with a cursor.)\n";
  return { mimeType: kinds.postmortems.mimeType, text: `${asLines(markdown).join("\n")}${rest}` };
}

const asLines = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Lines up to what 10,000 tokens hold. */
function bounded(lines: readonly string[]): string {
  const { items, total } = page(lines, { limit: lines.length, question: "lines", weight: 9_000 * WEIGHT_A_TOKEN });
  const left = total - items.length;
  return [...items, ...(left === 0 ? [] : [`(${left} more lines: run unship check.)`])].join("\n");
}
