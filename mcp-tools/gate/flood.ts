import { LEDGER_KINDS } from "../../core/guardrails/gate-store.ts";
import type { Plan } from "../../core/model/plan.ts";
import type { LedgerEntry } from "../../core/ports.ts";
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
  /** Plans and what is told of them; each is told once. */
  readonly plans: Map<string, { readonly plan: string; readonly proposer: string }>;
  /** Proposers of whom people are being told that they ask for many approvals. */
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
): Promise<boolean> {
  if (plan.proposedBy === "watch") return false;
  const proposer = proposerOf(plan);
  // Those that began before this one, so that of many at the same moment the first ones are told.
  const begun = [...plans.values()];
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
      new Set<unknown>(own.filter((one) => one.about === "held" && one.heldBack === heldBack).map((one) => one.plan));
    const heldBack = plansOf(true);
    const asked = new Set([...plansOf(false), ...before.filter((one) => !heldBack.has(one))]).size;
    if (asked < limits.announcedPerHour) return null;
    const detail = `held back: ${proposer} asked for ${limits.announcedPerHour} approvals within the hour`;
    const body = { about: "held", proposer, plan: plan.id, heldBack: true, to: to.join(", "), detail };
    await tx.append(entry(plan, LEDGER_KINDS.noticeUndelivered, body));
    return { heldBack: heldBack.size + 1, digested: own.some(({ about }) => about === "digest") };
  });
  if (count === null) return false;
  if (count.digested || digests.has(proposer)) return true;
  digests.add(proposer);
  const lines = [
    `It asked for ${limits.announcedPerHour} approvals within an hour. Of its further plans (${count.heldBack} so far) no single notifications are sent until an hour has passed.`,
    "They wait, expire and can be approved as any other: unship status lists them.",
    `The last one: ${plan.reason}`,
    `unship approve ${plan.id}`,
  ];
  const said = { title: `${proposer} asks for many approvals`, lines, severity: "warning" } as const;
  await say(parts, limits, plan, to, said, { about: "digest", proposer }).finally(() => digests.delete(proposer));
  return true;
}

/** Whether the ledger says of a plan that nobody was told of it by itself. */
export const isHeldBack = ({ body }: LedgerEntry): boolean =>
  noticeOf(body).some(({ about, heldBack }) => about === "held" && heldBack);

function noticeOf(body: unknown) {
  if (typeof body !== "object" || body === null) return [];
  const { about, proposer, plan, heldBack } = { about: null, proposer: null, plan: null, heldBack: false, ...body };
  return [{ about, proposer, plan, heldBack: heldBack === true }];
}
