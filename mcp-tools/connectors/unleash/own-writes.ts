import { UnshipError } from "../../../core/errors.ts";
import type { UnleashClient, UnleashEvent } from "./client.ts";

/**
 * Whose an event is, by its author's name. `own`: unship's alone. `token`: that of the token, which others may use too.
 * `unknown`: nobody can tell.
 */
export type Author = "own" | "token" | "other" | "unknown";

/** Which events of the log are unship's own: a switch carries no mark in Unleash, only the name of who did it. */
export interface OwnWrites {
  /** Whether the file names the token's own name. */
  readonly named: boolean;
  has(event: Pick<UnleashEvent, "id" | "type" | "createdBy">): boolean;
  author(event: Pick<UnleashEvent, "createdBy">): Author;
  /** The executor saw that this event came of its own write. */
  add(event: Pick<UnleashEvent, "id" | "createdBy">): void;
  /** Asks Unleash for the token's own name, once; leaves it open where Unleash does not tell. Never throws for that. */
  learn(client: Pick<UnleashClient, "identity">, abort: AbortSignal): Promise<void>;
  /** What is wrong with the configured name, for people; null: nothing that is known. */
  problem(): string | null;
}

/**
 * `actor`: the name that Unleash writes as `createdBy` for the token that unship uses, if nobody else uses it; then its
 * switches off are known again after a restart. null: only those that this process made are known. A name that people wrote
 * may be wrong: until Unleash itself tells the token's name, or an own write came under it, what another name did is
 * not called somebody else's.
 */
export function ownWrites(actor: string | null): OwnWrites {
  const ids = new Set<number>();
  let identity: string | null = null;
  let asked = false;
  let confirmed = false;
  const author = ({ createdBy }: Pick<UnleashEvent, "createdBy">): Author => {
    if (identity !== null) return createdBy !== identity ? "other" : actor === null ? "token" : "own";
    if (actor === null) return "unknown";
    return createdBy === actor ? "own" : confirmed ? "other" : "unknown";
  };
  return {
    named: actor !== null,
    author,
    has: (event) => ids.has(event.id) || (author(event) === "own" && event.type === "feature-environment-disabled"),
    add({ id, createdBy }) {
      ids.add(id);
      if (createdBy === actor) confirmed = true;
    },
    async learn(client, abort) {
      if (asked) return;
      try {
        identity = await client.identity(abort);
        asked = true;
      } catch (error) {
        if (!(error instanceof UnshipError)) throw error;
        // A server that has no such answer will have none later; one that cannot be reached may.
        asked = error.code !== "source.unavailable";
      }
    },
    problem: () =>
      actor === null || identity === null || identity === actor
        ? null
        : `Unleash writes ${identity} for the token of unship, and the file says ${actor}: correct actor there.`,
  };
}
