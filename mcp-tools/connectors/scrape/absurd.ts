import type { Gap } from "../../../core/model/assessment.ts";
import { cleanText } from "../../../core/model/untrusted-text.ts";

/** A service of which a target's last answer had samples that can be no measurement, and of what. */
export interface AbsurdOf {
  readonly service: string;
  readonly of: readonly string[];
}

const SERVICE_CHARS = 200;
const COUNTED: Readonly<Record<string, string>> = {
  requests: "requests",
  durationCount: "requests by the histogram",
  bucket: "durations",
  cpu: "CPU time",
  memory: "memory",
};

/**
 * The samples of each service that can be no measurement, tick by tick: one gap for each kind of sample, so that one that comes
 * or goes says nothing of another. A gap ends once an answer shows that kind of sample of the service whole: targets that gave
 * no answer, or are gone, show nothing. `all`: by the last answer of each target; `answered`: the services that answers of this
 * tick speak of.
 */
export function createAbsurdGaps(source: string) {
  let known = new Map<string, Gap>();
  return (all: readonly AbsurdOf[], answered: ReadonlySet<string>): readonly Gap[] => {
    const those = all.flatMap(({ service, of }) => of.map((kind) => ({ service, kind })));
    const now = new Map(
      [...Map.groupBy(those, ({ service, kind }) => JSON.stringify([service, kind]))].map(([key, [one, ...more]]) => [
        key,
        gapOf(source, one?.service ?? "", one?.kind ?? "", 1 + more.length),
      ]),
    );
    const open = [...known].filter(
      ([key, { services = [] }]) => !now.has(key) && !services.some((one) => answered.has(one)),
    );
    known = new Map([...now, ...open]);
    return [...known.values()];
  };
}

function gapOf(source: string, service: string, kind: string, answers: number): Gap {
  return {
    of: "targets",
    how: "partial",
    services: [service],
    source: `${source} pages`,
    what: `${COUNTED[kind] ?? kind} of ${cleanText(service, SERVICE_CHARS).replaceAll(/\s+/g, " ")}`,
    because: `samples of ${answers} ${answers === 1 ? "answer" : "answers"} are infinite, below zero or no number: taken as missing`,
  };
}
