import type { Episode } from "../replay/episode.ts";

/** What of a replay's episodes concerns the world with this tag: what acts on its changes, else what is said of its services. */
export function episodesOf(episodes: readonly Episode[], tag: string): readonly Episode[] {
  const ofWorld = (id: string) => id.startsWith(`${tag}.`);
  return episodes.filter((episode) => {
    const changes = [...(episode.culprit === null ? [] : [episode.culprit.change_id]), ...episode.targets];
    if (episode.action !== "no_action" && changes.length > 0) return changes.some(ofWorld);
    return [episode.service, ...episode.affected_services].some((service) => service.startsWith(`${tag}-`));
  });
}

/** How a decision that calls for something differs beside another world from what it is alone. */
export interface Difference {
  readonly kind: "missing" | "added" | "action" | "culprit" | "targets" | "decided" | "executed" | "verdict";
  readonly alone: string;
  readonly together: string;
}

/**
 * Compares the decisions on one world alone and beside others, in their order: action, culprit, targets, and when each was
 * decided and executed, within `toleranceMs`. A `no_action` is no decision to compare: how often somebody looks is not what
 * is decided. Empty: they are the same.
 */
export function differences(
  alone: readonly Episode[],
  together: readonly Episode[],
  toleranceMs: number,
): readonly Difference[] {
  const [before, after] = [decisionsOf(alone), decisionsOf(together)];
  return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => {
    const [one, other] = [before[index], after[index]];
    const kind =
      one === undefined ? "added" : other === undefined ? "missing" : (kindOf(one, other, toleranceMs) ?? null);
    return kind === null ? [] : [{ kind, alone: decisionText(one), together: decisionText(other) } as const];
  }).flat();
}

/**
 * What was executed beside others and not alone: an addition that may turn an act into a question, and never a question into
 * an act, leaves this empty. Lines to read.
 */
export function newActs(alone: readonly Episode[], together: readonly Episode[]): readonly string[] {
  const done = (episodes: readonly Episode[]) => episodes.filter(({ executed_at }) => executed_at !== null);
  const actOf = ({ action, targets }: Episode) => `${action} ${targets.toSorted().join()}`;
  const known = new Set(done(alone).map(actOf));
  return done(together)
    .filter((episode) => !known.has(actOf(episode)))
    .map((episode) => decisionText(episode));
}

/** Those that call for something, in the order in which they were decided. */
export const decisionsOf = (episodes: readonly Episode[]): readonly Episode[] =>
  episodes
    .filter(({ action }) => action !== "no_action")
    .toSorted((a, b) => timeOf(a.decided_at) - timeOf(b.decided_at));

function kindOf(one: Episode, other: Episode, toleranceMs: number): Difference["kind"] | null {
  const apart = (a: string | null, b: string | null) => Math.abs(timeOf(a) - timeOf(b)) > toleranceMs;
  if (one.action !== other.action) return "action";
  if (one.culprit?.change_id !== other.culprit?.change_id) return "culprit";
  if (one.targets.toSorted().join() !== other.targets.toSorted().join()) return "targets";
  if (one.guardrail?.verdict !== other.guardrail?.verdict) return "verdict";
  if (apart(one.decided_at, other.decided_at)) return "decided";
  if (apart(one.executed_at, other.executed_at)) return "executed";
  return null;
}

/** Never is a time of its own, as far from all others as can be. */
const timeOf = (at: string | null): number => (at === null ? Number.MAX_SAFE_INTEGER : Date.parse(at));

/** One decision in a line: what, of which change and how sure, when it was decided and executed, and what the gate said. */
export function decisionText(episode: Episode | undefined): string {
  if (episode === undefined) return "nothing";
  const { action, culprit, targets, decided_at, executed_at, guardrail } = episode;
  const named = culprit === null ? "no change" : `${culprit.change_id} (${culprit.probability.toFixed(2)})`;
  const more = targets.length > 1 ? ` with ${targets.length - 1} more` : "";
  const done = executed_at === null ? (guardrail?.verdict ?? "not proposed") : `executed ${clock(executed_at)}`;
  return `${action} of ${named}${more} ${decided_at === null ? "undecided" : clock(decided_at)}, ${done}`;
}

const clock = (at: string): string => at.slice(11, 19);
