import { replaces, takenBackBy } from "../../core/correlation/replaced.ts";
import type { Change } from "../../core/model/change.ts";
import { isActed, takenBackIds } from "../../core/model/deed.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";
import { likeliestOf } from "../../core/model/recorded.ts";
import { clock } from "./figures.ts";
import { code } from "./markdown.ts";
import { blamed } from "./marks.ts";
import { authorWords } from "./names.ts";

/**
 * What became of the suspected change and of the degradation, beside what unship's own plan did: every part of the draft that speaks
 * of the end reads it here, so that none says that nothing was rolled back, or that it goes on, where another one says otherwise.
 */
export interface Ending {
  /** The rollback of the suspected change by somebody else, as the record holds it; null: none is known. */
  readonly undoneBy: Change | null;
  /** A newer version in the place of the suspected one, where that was not rolled back; null: none is known. */
  readonly replacedBy: Change | null;
  /** What somebody else did last before the signals came back, where it is not `undoneBy`; null: nothing known. */
  readonly changedBy: Change | null;
  /** Whether the suspected change is out of production by what is known, whoever rolled it back. */
  readonly isUndone: boolean;
  /** Since when none of its signals was degraded, or when its recovery was confirmed, Unix ms; null: neither is known. */
  readonly backAt: number | null;
}

/** Reads the ending from the record. Pure. */
export function endingOf(incident: Incident): Ending {
  const { changes, backBy, backSince = null, recovery } = incident;
  const suspect = suspectOf(incident);
  const way = changes.find(({ id }) => id === backBy?.change?.id) ?? null;
  const undoing = suspect === null ? undefined : takenBackBy(suspect, changes, Number.POSITIVE_INFINITY);
  // After an act of unship the history of the target shows that act as well: somebody else's is then what the watch calls so.
  const isOthers = undoing?.ownRollback !== true && (undoing === way || !isActed(incident));
  const undoneBy = undoing !== undefined && isOthers ? undoing : null;
  const isUndone = undoing !== undefined || (suspect !== null && takenBackIds(incident).includes(suspect.id));
  const replacing = suspect === null || isUndone ? undefined : changes.findLast((one) => replaces(one, suspect));
  return {
    undoneBy,
    replacedBy: replacing ?? null,
    changedBy: way === undoneBy ? null : way,
    isUndone,
    backAt: isRecoveryConfirmed(incident) ? (recovery?.at ?? backSince) : backSince,
  };
}

/** The change that the draft speaks of as the cause: the culprit of the decision, or the likeliest; null: none is suspected. */
export function suspectOf(incident: Incident): Change | null {
  const [first] = blamed(incident);
  const id = likeliestOf(incident)?.changeId;
  return first ?? incident.changes.find((change) => change.id === id) ?? null;
}

/** How a change that undoes another one reads in a title: "rolled back to `v2.12.0` by `carol`". */
export function undoneWords(change: Change): string {
  const by = change.author === undefined ? "" : ` by ${authorWords(change)}`;
  return change.kind === "flag" ? `switched ${code(change.to)}${by}` : `rolled back to ${code(change.to)}${by}`;
}

/** The same as a sentence: "At 13:25:47 `carol` rolled `inventory` back to `v2.12.0`." */
export function undoneSentence(change: Change): string {
  return `At ${clock(change.startedAt)} ${undoingWords(change)}.`;
}

/** Who undid what: "`carol` rolled `inventory` back to `v2.12.0`". */
export function undoingWords(change: Change): string {
  const { kind, service, flag, to } = change;
  const who = authorWords(change);
  return kind === "flag"
    ? `${who} switched flag ${code(flag ?? service)} ${code(to)}`
    : `${who} rolled ${code(service)} back to ${code(to)}`;
}
