import { type Candidate, isCompared, notComparedText, type Reason } from "../../core/model/candidate.ts";
import type { Incident } from "../../core/model/incident.ts";
import { likelihood } from "../../core/model/likelihood.ts";
import { noChangeText } from "../../core/model/unheard.ts";
import { beforeOrAfter, clock } from "./figures.ts";
import { code, section, sentence, table } from "./markdown.ts";
import { changeWords } from "./names.ts";
import { soFar } from "./open.ts";
import { weighedText } from "./weighed.ts";

const SHOWN = 8;
/** The reasons that moved a probability most; the rest moved it little. */
const REASONS = 3;
/** A weight below this moves a probability by less than three points: not worth a reader's time. */
const NEGLIGIBLE = 0.1;

/**
 * Why this change and not the others: every hypothesis with its probability and what speaks for and against it. `anew`: the onset
 * that they were weighed by, where that is not the incident's first one.
 */
export function suspectsSection(recorded: Incident, anew: Incident["onset"] = null): string | null {
  const incident = anew === null ? recorded : { ...recorded, onset: anew };
  const { ranking } = incident;
  if (ranking === null || !isCompared(ranking))
    return section(
      "Why this change and not the others",
      ranking === null
        ? soFar(recorded, "No changes were compared.", "No changes have been compared so far.")
        : sentence(notComparedText(ranking) ?? "no change could be compared"),
    );
  const shown = ranking.candidates.slice(0, SHOWN);
  const rows = shown.map((candidate) => [
    suspect(candidate, incident),
    likelihood(candidate.probability),
    reasons(candidate.reasons),
  ]);
  const none = [
    `${capital(noChangeText(incident.unheard))} is the culprit`,
    likelihood(ranking.noChangeProbability),
    reasons(ranking.noChangeReasons),
  ];
  const heading =
    incident.decision?.culprit == null ? "Which changes were compared" : "Why this change and not the others";
  const left = ranking.candidates.length - shown.length;
  return section(
    heading,
    table(["Hypothesis", "Probability", "What speaks for and against it"], [...rows, none]),
    left > 0 ? `${left} more changes lay in the window, each less probable.` : null,
    notWeighed(incident),
    anew === null ? null : `The onset meant here is the one that was dated anew, ${clock(anew.at)}.`,
    weighedText(ranking),
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What was not weighed, since its source did not say it; null where each said all. */
function notWeighed({ unheard }: Incident): string | null {
  if (unheard === undefined || unheard.length === 0) return null;
  return `Other changes may have been made: ${sentence(unheard.join("; "), 500)}`;
}

function suspect({ changeId, service }: Candidate, { changes, onset }: Incident): string {
  const change = changes.find(({ id }) => id === changeId);
  if (change === undefined) return `${code(changeId)} (${code(service)})`;
  const when = onset === null ? "" : `, began ${beforeOrAfter(change.startedAt, onset.at)} onset`;
  const author = change.author === undefined ? "" : `, by ${code(change.author, 60)}`;
  return `${code(changeId)}: ${changeWords(change)}${author}${when}`;
}

function reasons(all: readonly Reason[]): string {
  const telling = all
    .filter(({ logOdds }) => Math.abs(logOdds) >= NEGLIGIBLE)
    .toSorted((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds))
    .slice(0, REASONS)
    .map(({ sentence: text }) => sentence(text, 250));
  return telling.join("<br>") || "nothing speaks clearly for or against it";
}
