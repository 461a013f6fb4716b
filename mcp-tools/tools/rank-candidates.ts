import { z } from "zod";
import { Coverage } from "../../core/decision/coverage.ts";
import { Candidate, isCompared, Ranking } from "../../core/model/candidate.ts";
import { type Fenced, own } from "../../core/model/fenced.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { cleanDeep, name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, known, knownAnswers, limit, more, notice } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { openAsked } from "../open-case.ts";
import { page } from "../page.ts";

/** So many of the likeliest origins come with the first answer; the rest follow the last candidate. */
const ORIGINS_FIRST = 5;

export const rankCandidates = defineTool({
  name: "rank_candidates",
  title: "Rank candidates",
  effect: "read",
  reach: "held",
  description:
    "How likely each suspected change is the culprit, likeliest first, with reasons for and against (log-odds), and how " +
    "likely none is (null: nothing to compare); these sum to 1. `reached`: the best meets the confidence threshold. " +
    "Measured, not what anyone wrote.",
  input: z.strictObject({ incident, known, limit: limit(50, 5), cursor }),
  output: z.strictObject({
    notice,
    at: z.string(),
    candidates: z.array(Candidate),
    coverage: Coverage,
    no_change_says: z.string(),
    no_change: Ranking.pick({ noChangeProbability: true, noChangeReasons: true }).extend({
      weighed: z.array(z.string()).optional(),
    }),
    root_causes: Ranking.shape.rootCauses,
    threshold: z.number(),
    reached: z.boolean(),
    total: z.number(),
    more,
    gaps,
  }),
  async run(input, context) {
    const { file, at: moment, recorded, answer, coverage, once, sentence } = await openAsked(context, input);
    return once("rank_candidates", input, () => {
      const { ranking, threshold, reached } = answer("correlate_timing", knownAnswers(input.known));
      const { cursor: at, limit: most, ...question } = input;
      const origins = ranking.rootCauses.map((origin) => ({ origin, candidate: null }));
      const rows = [
        ...origins.slice(0, ORIGINS_FIRST),
        ...cleanDeep(ranking.candidates).map((candidate) => ({ candidate, origin: null })),
        ...origins.slice(ORIGINS_FIRST),
      ];
      const rowLimit = at === undefined ? most + Math.min(ORIGINS_FIRST, origins.length) : most;
      const shown = page(rows, { cursor: at, limit: rowLimit, question });
      return {
        notice: UNTRUSTED_NOTICE,
        at: rfc3339(moment),
        candidates: shown.items.flatMap(({ candidate }) => (candidate === null ? [] : [{ ...candidate }])),
        coverage: coverage(),
        no_change_says: saysOf(coverage(), ranking),
        no_change: {
          noChangeProbability: ranking.noChangeProbability,
          noChangeReasons: [...ranking.noChangeReasons],
          ...(ranking.weighed === undefined ? {} : { weighed: ranking.weighed.map((one) => name(one)) }),
        },
        root_causes: shown.items.flatMap(({ origin }) => (origin === null ? [] : [origin])),
        threshold,
        reached,
        total: ranking.candidates.length,
        more: shown.more,
        gaps: recorded?.gaps ?? gapViews(file.gaps, sentence),
      };
    });
  },
});

/** In words what "no change" is: a figure of it where nothing was compared, or of changes that are not all known, is none of it. */
function saysOf({ signals, changes }: Coverage, ranking: Ranking): Fenced {
  if (!isCompared(ranking) && signals !== "measured")
    return own`nothing: no change could be compared, since what is degraded is not known`;
  if (!isCompared(ranking)) return own`nothing: no change could be compared; noChangeReasons says why`;
  return changes === "measured"
    ? own`no change is the culprit`
    : own`no known change is the culprit; others may have been made`;
}
