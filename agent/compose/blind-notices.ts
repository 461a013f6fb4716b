import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { isPager } from "../../core/guardrails/act-notice.ts";
import { NO_INCIDENT } from "../../core/model/plan.ts";
import { clockText, durationText } from "../../core/model/time.ts";
import type { Notice, Notifier } from "../../core/ports.ts";
import { type Blindness, blindText } from "../watch/blind.ts";
import type { Watch } from "../watch/watch.ts";

/**
 * The watch of a gate that is a process of its own: an evaluation counts only where the gate answers after it, since without it no
 * incident can be opened, nothing decided and nobody notified, also while everything is healthy.
 */
export function throughGate(watch: Watch, { hello }: { hello(): Promise<unknown> }): Watch {
  return {
    ...watch,
    async tick(abort) {
      await watch.tick(abort);
      if (!abort.aborted) await hello();
    },
  };
}

/** Through what people are notified directly, opened only when it is needed. */
export type OpenDirect = () => Promise<{ readonly notifier: Notifier; close(): Promise<void> }>;

/** Longest that a chat or pager may take, ms. */
const PATIENCE_MS = 5000;

/**
 * Says of a watch that cannot evaluate, on standard error each time that it is told, and once to everybody whom a policy names, by the
 * chats and pagers themselves: neither ledger nor gate has to answer for that. Once more when it evaluates again; a pager resolves its
 * alert then. What was sent is kept in memory alone. Where this process may not notify by itself, as where the tokens are the gate's, it
 * says so. Never throws.
 */
export function createBlindNotices(
  { policies }: Pick<Config, "policies">,
  err: (text: string) => void,
  open: OpenDirect,
): { readonly changed: (blindness: Blindness) => void; readonly settled: () => Promise<void> } {
  const recipients = [...new Set(policies.flatMap(({ notification }) => notification))];
  /** The title of the notice that is out; null: none is. */
  let told: string | null = null;
  let turn: Promise<void> = Promise.resolve();

  async function send(to: string, notice: Omit<Notice, "to">, notifier: Notifier): Promise<void> {
    const late = Promise.withResolvers<{ delivered: boolean; detail: string }>();
    const timer = setTimeout(() => late.resolve({ delivered: false, detail: "no answer" }), PATIENCE_MS);
    const answer = await Promise.race([notifier.notify({ ...notice, to }), late.promise]).catch(() => null);
    clearTimeout(timer);
    if (answer?.delivered !== true) err(`${to} was not notified: ${answer?.detail ?? "the notifier failed"}`);
  }

  async function tell(notice: Omit<Notice, "to">, over: string | null): Promise<void> {
    let direct: Awaited<ReturnType<OpenDirect>>;
    try {
      direct = await open();
    } catch (error) {
      const why = error instanceof UnshipError ? error.message : "the notifiers cannot be opened";
      return err(`NOBODY IS NOTIFIED of this by chat or pager from here: ${why}`);
    }
    try {
      for (const to of recipients) {
        const resolves = over !== null && isPager(to) ? { resolves: [{ title: over }] } : {};
        await send(to, { ...notice, ...resolves }, direct.notifier);
      }
    } finally {
      await direct.close().catch(() => undefined);
    }
  }

  function noticeOf(
    blindness: Blindness,
  ): { readonly notice: Omit<Notice, "to">; readonly over: string | null } | null {
    const { since, at, why, isOver } = blindness;
    const when = clockText(since, at);
    const about = { incidentId: NO_INCIDENT, severity: isOver ? "info" : "critical" } as const;
    if (!isOver) {
      if (told !== null) return null;
      told = `unship cannot evaluate since ${when}: nothing is detected, and nothing is rolled back`;
      const lines = [`Why: ${why}`, "Whatever degrades meanwhile is not noticed until evaluations succeed again."];
      return { notice: { ...about, title: told, lines }, over: null };
    }
    const over = told;
    told = null;
    if (over === null) return null;
    const title = `unship evaluates again: nothing was evaluated for ${durationText(at - since)}, from ${when}`;
    return {
      notice: { ...about, title, lines: ["What degraded meanwhile and still is, is detected from now on."] },
      over,
    };
  }

  return {
    changed(blindness) {
      err(blindness.isOver ? "UNSHIP EVALUATES AGAIN" : `${blindText(blindness)}: ${blindness.why}`);
      const next = noticeOf(blindness);
      if (next === null || recipients.length === 0) return;
      turn = turn.then(() => tell(next.notice, next.over)).catch(() => undefined);
    },
    settled: () => turn,
  };
}
