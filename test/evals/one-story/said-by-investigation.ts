import type { Episode } from "../../../evals/replay/episode.ts";
import { clock, type Fact, facts, share } from "./facts.ts";

export const millis = (text: string | null | undefined) =>
  text === null || text === undefined ? text : Date.parse(text);

export const known = (unheard: readonly string[] | null | undefined): string =>
  unheard?.length === 0 ? "no change" : "no known change";

/** The words and the JSON of one command; what it points at are not always the incident's services, so that they meet each other alone. */
export function saidByInvestigation(text: string, json: Episode, now: number): readonly Fact[] {
  const [, action, called, probability] =
    /^Decision: (\w+)(?:(?:; the likeliest is| of) ([^(]+) \(([^)]*)\))?\./.exec(text) ?? [];
  const culprit = suspectCalled(called, text);
  const none = /^ {2}- no (known )?change is the culprit: (.*)$/m.exec(text);
  const names = (fact: string) => `investigate: ${fact}`;
  return [
    ...facts("investigate --json", {
      [names("action")]: json.action,
      [names("no change")]: json.no_change_probability,
      [names("onset")]: millis(json.onset_estimate),
      [names("impact")]: json.business_impact ?? undefined,
      ...(json.action === "no_action" ? {} : { [names("culprit")]: json.culprit?.change_id ?? null }),
      ...(json.action === "no_action" ? {} : { [names("probability")]: json.culprit?.probability }),
      [names("known of changes")]: known(json.unheard ?? []),
      [names("affected")]: json.affected_services,
    }),
    ...facts("investigate", {
      [names("action")]: action,
      ...(action === "no_action" ? {} : { [names("culprit")]: culprit ?? null }),
      ...(action === "no_action" ? {} : { [names("probability")]: share(probability) }),
      [names("no change")]: share(none?.[2]),
      [names("known of changes")]: none === null ? undefined : `no ${none[1] ?? ""}change`,
      [names("onset")]: clock(/^ {2}- since (\S+)$/m.exec(text)?.[1], now),
      [names("impact")]: /^ {2}- impact (\S+)$/m.exec(text)?.[1],
    }),
  ];
}

/** The id of the suspect of which a decision says what it undoes ("payments 1.2.0") or what it is called ("payments 1.1.0 → 1.2.0"). */
function suspectCalled(called: string | undefined, text: string): string | undefined {
  const suspects = text.matchAll(/^ {2}- (.+): (?:[<>] )?[\d.]+ % \((\S+)\)$/gm);
  for (const [, name = "", id] of suspects) {
    const undone = name.startsWith("flag ") ? name.replace(/ \S+ → \S+$/, "") : name.replace(/ \S+ → /, " ");
    if (called === name || called === undone) return id;
  }
  return called;
}
