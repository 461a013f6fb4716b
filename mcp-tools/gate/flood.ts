import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Plan } from "../../core/model/plan.ts";
import type { LedgerEntry, Notice } from "../../core/ports.ts";
import type { GateLimits, GateParts } from "./parts.ts";
import { entry } from "./reserve.ts";
import { say } from "./send-notice.ts";

const HOUR_MS = 3_600_000;
const NOTICES = [LEDGER_KINDS.noticeSent, LEDGER_KINDS.noticeUndelivered];

/**
 * Who proposed it, without what a client calls itself: a flood must not come under a new name with each plan.
 * "mcp:http(alice):some-client" → "mcp:http(alice)", "mcp:stdio:some-client" → "mcp:stdio".
 */
export function proposerOf({ proposedBy }: Pick<Plan, "proposedBy">): string {
  return /^mcp:(?:http\(.*?\)|[^:]*)/.exec(proposedBy)?.[0] ?? proposedBy;
}

/** What this process is telling people at this moment, oldest first: the ledger says of none of it yet. */
export interface Telling {
  /** By plan and what is told of it ("plan-1 held"); each is told once. */
  readonly plans: Map<string, { readonly plan: string; readonly proposer: string }>;
  /** What people are being told of many plans of one proposer at once: its kind and the proposer. */
  readonly digests: Set<string>;
}

export const createTelling = (): Telling => ({ plans: new Map(), digests: new Set() });

/**
 * Whether people are not told of this plan by itself, since its proposer asked them for too many approvals within the
 * hour. Then the ledger says so of the plan, and people hear once an hour that more wait: who sleeps badly because a
 * client files plans in a loop soon looks at none. The watch's own plans are always told.
 */
export async function holdBack(
  parts: GateParts,
  limits: GateLimits,
  plan: Plan,
  to: readonly string[],
  { plans, digests }: Telling,
  subject: Subject = "held",
): Promise<boolean> {
  if (plan.proposedBy === "watch") return false;
  const proposer = proposerOf(plan);
  const words = WORDS[subject];
  // Those that began before this one, so that of many at the same moment the first ones are told.
  const begun = [...plans].filter(([key]) => key.endsWith(` ${subject}`)).map(([, one]) => one);
  const before = begun
    .slice(
      0,
      begun.findIndex((one) => one.plan === plan.id),
    )
    .filter((one) => one.proposer === proposer)
    .map((one) => one.plan);
  const count = await parts.store.transact(async (tx) => {
    const told = (await tx.bodiesSince(NOTICES, tx.now - HOUR_MS)).flatMap(noticeOf);
    const own = told.filter((one) => one.proposer === proposer);
    const plansOf = (heldBack: boolean) =>
      new Set<unknown>(own.filter((one) => one.about === subject && one.heldBack === heldBack).map((one) => one.plan));
    const heldBack = plansOf(true);
    const asked = new Set([...plansOf(false), ...before.filter((one) => !heldBack.has(one))]).size;
    if (asked < limits.announcedPerHour) return null;
    const detail = `held back: ${words.why(proposer, limits.announcedPerHour)}`;
    const body = { about: subject, proposer, plan: plan.id, heldBack: true, to: to.join(", "), detail };
    await tx.append(entry(plan, LEDGER_KINDS.noticeUndelivered, body));
    return { heldBack: heldBack.size + 1, digested: own.some(({ about }) => about === words.digest) };
  });
  if (count === null) return false;
  const digest = `${words.digest} ${proposer}`;
  if (count.digested || digests.has(digest)) return true;
  digests.add(digest);
  const said = {
    title: words.title(proposer),
    lines: words.lines(plan, limits.announcedPerHour, count.heldBack),
    severity: words.severity,
  };
  await say(parts, limits, plan, to, said, { about: words.digest, proposer }).finally(() => digests.delete(digest));
  return true;
}

/** What people hear of a plan by itself, as the record names it. */
type Subject = "held" | "acted";

interface Words {
  /** What the notice about all that is held back is about. */
  readonly digest: string;
  readonly severity: Notice["severity"];
  why(proposer: string, most: number): string;
  title(proposer: string): string;
  lines(plan: Plan, most: number, heldBack: number): readonly string[];
}

const WORDS: Readonly<Record<Subject, Words>> = {
  held: {
    digest: "digest",
    severity: "warning",
    why: (proposer, most) => `${proposer} asked for ${most} approvals within the hour`,
    title: (proposer) => `${proposer} asks for many approvals`,
    lines: ({ reason, id }, most, heldBack) => [
      `It asked for ${most} approvals within an hour. Of its further plans (${heldBack} so far) no single notifications are sent until an hour has passed.`,
      "They wait, expire and can be approved as any other: unship status lists them.",
      `The last one: ${reason}`,
      `unship approve ${id}`,
    ],
  },
  acted: {
    digest: "digest of acts",
    severity: "info",
    why: (proposer, most) => `${most} plans of ${proposer} were executed within the hour`,
    title: (proposer) => `Many plans of ${proposer} are executed`,
    lines: ({ reason }, most, heldBack) => [
      `${most} of its plans were executed within an hour. Of further ones (${heldBack} so far), and of their ends, no single notifications are sent until an hour has passed.`,
      "All of them are in the ledger: unship audit export.",
      `The last one: ${reason}`,
    ],
  },
};

/** Whether the ledger says of a plan that nobody was told of it by itself. */
export const isHeldBack = ({ body }: LedgerEntry): boolean =>
  noticeOf(body).some(({ about, heldBack }) => about === "held" && heldBack);

function noticeOf(body: unknown) {
  if (typeof body !== "object" || body === null) return [];
  const { about, proposer, plan, heldBack } = { about: null, proposer: null, plan: null, heldBack: false, ...body };
  return [{ about, proposer, plan, heldBack: heldBack === true }];
}
