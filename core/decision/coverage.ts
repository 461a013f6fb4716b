import { z } from "zod";
import type { Config } from "../config/config.ts";
import type { CaseFile, Gap } from "../model/assessment.ts";
import { gapText, isOfChanges } from "../model/unheard.ts";
import { tooFew, whatIsJudged } from "./quiet.ts";

/**
 * What an answer was judged on. `signals`: `measured` of all that it speaks of; `partly`; `not yet`: too few samples came so
 * far; `unknown`: a source did not say them. `changes`: `measured` where each source of changes said all of them, and when they began.
 * `because`: who did not say what, and since when; empty where all is measured.
 */
export const Coverage = z.strictObject({
  signals: z.enum(["measured", "partly", "not yet", "unknown"]),
  changes: z.enum(["measured", "partly", "unknown"]),
  because: z.array(z.string()),
});
export type Coverage = Readonly<z.infer<typeof Coverage>>;

/**
 * What a judgement of these services rests on (S15); of none: of all that are measured or described. What nobody says
 * never counts as measured (S9). Pure.
 */
export function coverageOf(
  caseFile: CaseFile,
  config: Pick<Config, "services">,
  services: readonly string[],
): Coverage {
  const about = services.length > 0 ? services : servicesKnown(caseFile, config);
  const { asked, unjudged, unheard } = whatIsJudged(caseFile, about);
  const unsaid = caseFile.gaps.filter(isOfChanges);
  const few = asked.length === 0 ? ["no samples are known"] : unjudged.length === 0 ? [] : [tooFew(unjudged)];
  return {
    signals: signalsOf(few.length > 0, unjudged.length === asked.length, unheard),
    changes: changesOf(unsaid),
    because: [...few, ...[...unheard, ...unsaid].map(gapText)],
  };
}

function signalsOf(isFew: boolean, isNone: boolean, unheard: readonly Gap[]): Coverage["signals"] {
  if (isNone) return unheard.length > 0 ? "unknown" : "not yet";
  return isFew || unheard.length > 0 ? "partly" : "measured";
}

function changesOf(unsaid: readonly Gap[]): Coverage["changes"] {
  if (unsaid.length === 0) return "measured";
  return unsaid.every(({ how }) => how === "partial" || how === "uncertain") ? "partly" : "unknown";
}

const servicesKnown = ({ series }: CaseFile, { services }: Pick<Config, "services">): readonly string[] =>
  [...new Set([...Object.keys(services), ...series.map(({ service }) => service)])].sort();
