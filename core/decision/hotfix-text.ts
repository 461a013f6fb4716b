import type { Hotfix } from "../model/decision.ts";
import { cleanText, name } from "../model/untrusted-text.ts";

/** A list that is longer helps nobody who has to start somewhere. */
const SUSPECTS_SHOWN = 5;
const SENTENCE_CHARACTERS = 400;

/**
 * A hotfix recommendation for whoever is on call, a line a fact; only what is known. Names, files, log signatures and
 * owners come from outside: what does not look like a name is fenced, and secrets are redacted (S10, S11). Pure.
 */
export function hotfixLines(hotfix: Hotfix): readonly string[] {
  const { changeId, changeIds = [], commitRange, suspects, owner, whyNoRollback, mitigation, check } = hotfix;
  const others = changeIds.filter((id) => id !== changeId).map(name);
  const shown = suspects.slice(0, SUSPECTS_SHOWN).map(name);
  const more = suspects.length - shown.length;
  return [
    `Mend by hand: ${name(changeId)}${others.length === 0 ? "" : `, and with it ${others.join(", ")}`}`,
    ...(commitRange === null ? [] : [`Commits: ${name(commitRange)}`]),
    ...(shown.length === 0 ? [] : [`Start at: ${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}`]),
    `Owner: ${owner === null ? "not known" : name(owner)}`,
    `No rollback, because ${cleanText(whyNoRollback, SENTENCE_CHARACTERS)}`,
    `Until then: ${cleanText(mitigation, SENTENCE_CHARACTERS)}`,
    `It worked if: ${cleanText(check, SENTENCE_CHARACTERS)}`,
  ];
}
