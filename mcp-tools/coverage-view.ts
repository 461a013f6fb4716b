import type { Config } from "../core/config/config.ts";
import { type Coverage, coverageOf } from "../core/decision/coverage.ts";
import type { CaseFile } from "../core/model/assessment.ts";
import { cleanText } from "../core/model/untrusted-text.ts";

/** So many reasons are named; the rest are counted. `gaps` beside it names more. */
const NAMED = 3;

/** What an answer about these services was judged on, as callers see it: each reason cleaned and cut. None: about all. */
export function coverageView(file: CaseFile, config: Config, services: readonly string[]): Coverage {
  const { because, ...coverage } = coverageOf(file, config, services);
  const named = because.slice(0, NAMED).map((one) => cleanText(one, 200));
  const more = because.length - NAMED;
  return { ...coverage, because: more > 0 ? [...named, `and ${more} more`] : named };
}
