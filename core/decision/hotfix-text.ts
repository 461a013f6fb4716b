import type { Decision, Hotfix } from "../model/decision.ts";
import { cleanText, name } from "../model/untrusted-text.ts";

/**
 * Why what was decided cannot be done from here, in words without an end: a hotfix that is no rollback, or a rollback that
 * nothing here can do; null: nothing stands in its way. `obstacles`: of the incident's record. Pure.
 */
export function whyNotFromHere(
  decision: Pick<Decision, "action" | "hotfix" | "needsPerson">,
  obstacles: readonly string[] = [],
): string | null {
  const { action, hotfix, needsPerson } = decision;
  const why =
    action === "hotfix_recommendation"
      ? (hotfix?.whyNoRollback ?? needsPerson.join("; "))
      : action === "no_action"
        ? ""
        : obstacles.join("; ");
  return why === "" ? null : cleanText(why, SENTENCE_CHARACTERS).replace(/\.$/, "");
}

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
    `Fix by hand: ${name(changeId)}${others.length === 0 ? "" : `, and with it ${others.join(", ")}`}`,
    ...(commitRange === null ? [] : [`Commits: ${name(commitRange)}`]),
    ...(shown.length === 0 ? [] : [`Start at: ${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}`]),
    `Owner: ${owner === null ? "not known" : name(owner)}`,
    `No rollback, because ${cleanText(whyNoRollback, SENTENCE_CHARACTERS)}`,
    `Until then: ${cleanText(mitigation, SENTENCE_CHARACTERS)}`,
    `It worked if: ${cleanText(check, SENTENCE_CHARACTERS)}`,
  ];
}
