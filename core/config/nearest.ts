/**
 * Number of single-character edits (insert, delete, replace, swap of neighbours) between two words.
 *
 * Damerau's four edits in their "optimal string alignment" form: the errors that typists make. O(n·m).
 *
 * @see Damerau (1964), Comm. ACM 7(3):171–176, doi:10.1145/363958.363994
 */
export function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (older[column - 2] ?? 0) + 1);
      current.push(best);
    }
    older = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** Words longer than this are no typo of a key or a name of ours, and comparing them would cost for nothing. */
const LONGEST = 80;

/**
 * The choice that a mistyped word most likely meant, or null where none is near.
 *
 * Case and the separators `-`, `_`, space do not count. "Near" is at most one edit for each three characters, at
 * least one, so that short words do not match everything; a beginning (`automatic` for `auto`) and a word with parts
 * left out (`kubectl_undo` for `kubectl_rollout_undo`) count too. Ties go to the earlier choice.
 */
export function nearest(word: string, choices: readonly string[]): string | null {
  if (word.length > LONGEST) return null;
  const wanted = plain(word);
  let best: { readonly choice: string; readonly distance: number } | null = null;
  for (const choice of choices) {
    const offered = plain(choice);
    if (offered.length > LONGEST) continue;
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, offered.length) / 3));
    const apart = Math.abs(wanted.length - offered.length); // never more than the edits: saves counting them
    const edits = apart > allowed ? apart : editDistance(wanted, offered);
    const distance = edits > allowed && isPart(wanted, offered) ? allowed : edits;
    if (distance <= allowed && (best === null || distance < best.distance)) best = { choice, distance };
  }
  return best?.choice ?? null;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** Whether the shorter word begins the longer one, or is it with less than half of its letters left out. */
function isPart(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (short.length < 4) return false;
  if (long.startsWith(short)) return true;
  let matched = 0;
  for (const letter of long) if (letter === short[matched]) matched += 1;
  return matched === short.length && short.length * 2 >= long.length;
}

/** What to do about a wrong word: the nearest choice, or else all of them (at most `most`). */
export function didYouMean(word: string, choices: readonly string[], most = 12): string {
  const near = nearest(word, choices);
  if (near !== null) return `did you mean ${near}?`;
  const shown = choices.slice(0, most).join(", ");
  return choices.length === 0
    ? "nothing is valid here"
    : `valid here: ${shown}${choices.length > most ? `, and ${choices.length - most} more` : ""}`;
}
