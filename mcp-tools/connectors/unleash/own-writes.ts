import type { UnleashEvent } from "./client.ts";

/** Which events of the log are unship's own: a switch carries no mark in Unleash, only the name of who did it. */
export interface OwnWrites {
  /** Whether the name is known under which unship writes; else nobody can tell whose an event is after a restart. */
  readonly named: boolean;
  has(event: Pick<UnleashEvent, "id" | "type" | "createdBy">): boolean;
  /** Whether an event that came at the moment of our own write may be of it, by its author's name. */
  mayBe(event: Pick<UnleashEvent, "createdBy">): boolean;
  /** The executor saw that this event came of its own write. */
  add(eventId: number): void;
}

/**
 * `actor`: the name that Unleash writes as `createdBy` for the token that unship uses, if nobody else uses it; then its
 * switches off are known again after a restart. null: only those that this process made are known.
 */
export function ownWrites(actor: string | null): OwnWrites {
  const ids = new Set<number>();
  return {
    named: actor !== null,
    has: ({ id, type, createdBy }) =>
      ids.has(id) || (actor !== null && createdBy === actor && type === "feature-environment-disabled"),
    mayBe: ({ createdBy }) => actor === null || createdBy === actor,
    add: (eventId) => void ids.add(eventId),
  };
}
