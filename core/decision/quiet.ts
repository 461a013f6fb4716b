import { LEARN_SAMPLES } from "../detection/signal-watch.ts";
import type { CaseFile } from "../model/assessment.ts";
import { unheardMetrics, unheardText } from "../model/unheard.ts";

/** So many services are named in one sentence. */
const MOST_NAMED = 5;

/**
 * What is said where nothing is found worse, first the finding itself: what is over, what is not sure yet, or that nothing is
 * worse than usual. The last is said of what was judged alone; whose signals are too new to be judged, and what a source of metrics did not
 * say, is named after it (S9). `services`: those that are asked about; none: all that are measured. Pure.
 */
export function quietWords(caseFile: CaseFile, services: readonly string[]): readonly string[] {
  const past = caseFile.findings.find((one) => one.verdict === "no-worse" && services.includes(one.service));
  if (past !== undefined) return [past.because];
  const unsure = caseFile.findings.find((one) => one.verdict === "inconclusive" && services.includes(one.service));
  if (unsure !== undefined) return [`not sure yet: ${unsure.because}`];
  const { asked, unjudged, unheard } = whatIsJudged(caseFile, services);
  if (unjudged.length === asked.length)
    return [
      `nothing is judged yet${asked.length === 0 ? ": no samples are known" : `: ${tooFew(unjudged)}`}`,
      ...unheard.map(unheardText),
    ];
  const judged = asked.filter((service) => !unjudged.includes(service));
  // Where some were asked about, others may be worse: it is said of those alone, and of what the tests found so far.
  const nothing =
    services.length === 0
      ? `nothing${unjudged.length === 0 && unheard.length === 0 ? "" : " that is judged"} is worse than its baseline`
      : `no test finds ${someOf(judged)} worse than their baseline`;
  if (unjudged.length === 0 && unheard.length === 0) return [nothing];
  return [nothing, ...(unjudged.length === 0 ? [] : [tooFew(unjudged)]), ...unheard.map(unheardText)];
}

/** Who is asked about, who of them is not judged yet, and what sources of metrics did not say of them. */
export function whatIsJudged(caseFile: CaseFile, services: readonly string[]) {
  const judged = judgedServices(caseFile);
  const asked = services.length === 0 ? [...new Set(caseFile.series.map(({ service }) => service))].sort() : services;
  const unjudged = asked.filter((service) => !judged.has(service));
  return { asked, unjudged, unheard: unheardMetrics(caseFile.gaps, services) };
}

/** Services of which at least one signal has as many samples as a test learns from before it judges. */
function judgedServices({ series }: CaseFile): ReadonlySet<string> {
  const judged = series.filter(
    ({ metric, labels, values }) =>
      metric !== "request_rate" && // how many ask says nothing of how they fare
      Object.keys(labels).length === 0 &&
      values.filter((value) => value !== null).length > LEARN_SAMPLES,
  );
  return new Set(judged.map(({ service }) => service));
}

export const tooFew = (services: readonly string[]): string => `too few samples are known of ${someOf(services)}`;

function someOf(services: readonly string[]): string {
  const more = services.length > MOST_NAMED ? ` and ${services.length - MOST_NAMED} more` : "";
  return `${services.slice(0, MOST_NAMED).join(", ")}${more}`;
}
