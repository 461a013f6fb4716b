import { setTimeout as sleep } from "node:timers/promises";
import { UnshipError } from "../../core/errors.ts";
import type { ToolContext } from "../context.ts";
import { incidentState, planState } from "../waiting.ts";
import { addressed, isOpenIncidents } from "./resources.ts";

/** So many resources one client may subscribe to: what a person follows at once, and a bound on what is read for it. */
export const MOST_SUBSCRIBED = 50;

/** What changes, and where it is read. */
type Reads = Pick<ToolContext, "ledger" | "clock">;

/** One client's subscriptions. */
export interface Subscriptions {
  /** From now on the client hears of each change. Throws "input.invalid" for what does not change or does not exist, and beyond the bound. */
  add(uri: string): Promise<void>;
  /** It hears no more of it; of what it did not hear of anyway this does nothing. */
  remove(uri: string): void;
  /** It hears of nothing more. */
  end(): void;
}

export interface SubscriptionsOptions {
  /** How often the ledger is read while anything is subscribed to, ms. */
  readonly everyMs: number;
  /** Tells the client that the resource at this address changed. */
  readonly updated: (uri: string) => Promise<void>;
  /** Told of a read or a message that failed, once until one succeeds; the next one is tried all the same. */
  readonly failed: (error: unknown) => void;
}

/**
 * What a client follows: the list of open incidents, incidents and plans, each by its state (stage, plan, answers, outcome), not by
 * what moves with every evaluation. The ledger is read by one loop a client, one read at a time.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
 */
export function createSubscriptions(context: Reads, { everyMs, updated, failed }: SubscriptionsOptions): Subscriptions {
  /** By address, the state that the client knows; null: it is being read for the first time. */
  const known = new Map<string, string | null>();
  let loop: AbortController | null = null;
  let isFailing = false;

  async function run(ended: AbortSignal): Promise<void> {
    while (!ended.aborted) {
      await sleep(everyMs, undefined, { signal: ended, ref: false }).catch(() => {});
      for (const uri of [...known.keys()]) {
        if (ended.aborted) return;
        await lookAt(uri);
      }
    }
  }

  /** A ledger that is down is noted once, not every time that it is read. */
  async function lookAt(uri: string): Promise<void> {
    try {
      const now = await stateAt(uri, context);
      const before = known.get(uri);
      if (before !== undefined) known.set(uri, now); // else it was given up while it was read
      if (typeof before === "string" && before !== now) await updated(uri);
      isFailing = false;
    } catch (error) {
      if (!isFailing) failed(error);
      isFailing = true;
    }
  }

  function end(): void {
    known.clear();
    loop?.abort();
    loop = null;
  }

  function remove(uri: string): void {
    known.delete(uri);
    if (known.size === 0) end();
  }

  return {
    async add(uri) {
      if (!known.has(uri) && known.size >= MOST_SUBSCRIBED) {
        throw new UnshipError("input.invalid", {
          reason: `at most ${MOST_SUBSCRIBED} resources can be subscribed to; unsubscribe from one`,
        });
      }
      const isNew = !known.has(uri);
      if (isNew) known.set(uri, null);
      try {
        known.set(uri, await stateAt(uri, context));
      } catch (error) {
        if (isNew) remove(uri);
        throw error;
      }
      if (loop !== null || known.size === 0) return;
      loop = new AbortController();
      void run(loop.signal);
    },
    remove,
    end,
  };
}

/** What is at an address, as a text to compare. Throws "input.invalid" where nothing there changes. */
async function stateAt(uri: string, context: Reads): Promise<string> {
  if (isOpenIncidents(uri)) {
    const open = await context.ledger.incidents({ open: true });
    const states = await Promise.all(open.map(async ({ id }) => [id, (await incidentState(id, context)).text]));
    return JSON.stringify(states.toSorted(([a = ""], [b = ""]) => (a < b ? -1 : 1)));
  }
  const address = addressed(uri);
  if (address?.kind === "incidents" && (await context.ledger.incident(address.id)) !== null)
    return (await incidentState(address.id, context)).text;
  const plan = address?.kind === "plans" ? await planState(address.id, context) : null;
  if (plan !== null) return plan;
  throw new UnshipError("input.invalid", {
    reason: "only unship://open-incidents and known unship://incidents/ID and unship://plans/ID can be subscribed to",
  });
}
