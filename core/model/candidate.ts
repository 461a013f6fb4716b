import { z } from "zod";

/** One reason for or against a hypothesis: its weight (natural log of a likelihood ratio or prior odds) and a sentence. */
export const Reason = z.strictObject({ name: z.string(), logOdds: z.number(), sentence: z.string() });
export type Reason = Readonly<z.infer<typeof Reason>>;

/** A change with the probability that it is the culprit. */
export const Candidate = z.strictObject({
  changeId: z.string(),
  service: z.string(),
  probability: z.number().min(0).max(1),
  reasons: z.array(Reason),
});
export type Candidate = Readonly<z.infer<typeof Candidate>>;

/** The reason of a ranking that weighed nothing: there is no onset, or nothing was measured before it. */
export const NOTHING_TO_COMPARE = "nothing to compare";

/**
 * Every hypothesis with its probability; candidates (most probable first) and "no change" sum to 1. Where nothing could be
 * compared there are no candidates, and "no change" has no probability.
 * `rootCauses`: services by how likely the trouble starts there, scores 0–1, most likely first.
 */
export const Ranking = z.strictObject({
  candidates: z.array(Candidate),
  noChangeProbability: z.number().min(0).max(1).nullable(),
  noChangeReasons: z.array(Reason),
  rootCauses: z.array(z.strictObject({ service: z.string(), score: z.number() })),
  /** What there was of these to weigh places by, whether or not it said anything; absent: not recorded. */
  weighed: z.array(z.enum(["call-graph", "logs", "traces"])).optional(),
});
export type Ranking = Readonly<z.infer<typeof Ranking>>;

/** A ranking whose changes were weighed: "no change" has a probability in it. */
export type Compared<R extends Pick<Ranking, "noChangeProbability"> = Ranking> = R & {
  readonly noChangeProbability: number;
};

/**
 * Whether changes were weighed at all. Where there was nothing to compare them with no hypothesis has a probability, and nobody is
 * told one (S9).
 */
export const isCompared = <R extends Pick<Ranking, "noChangeProbability">>(ranking: R): ranking is Compared<R> =>
  ranking.noChangeProbability !== null;

/** A ranking in which nothing could be compared. `why`: a sentence without its end. */
export const notCompared = (why: string, rootCauses: Ranking["rootCauses"] = []): Ranking => ({
  candidates: [],
  noChangeProbability: null,
  noChangeReasons: [{ name: NOTHING_TO_COMPARE, logOdds: 0, sentence: why }],
  rootCauses,
});

/** Why nothing could be compared, as every surface words it instead of a probability (S15); null: something was. */
export function notComparedText(
  ranking: Pick<Ranking, "noChangeProbability" | "noChangeReasons"> | null,
): string | null {
  if (ranking === null || isCompared(ranking)) return null;
  const [why] = ranking.noChangeReasons; // its only one, whatever fence was put around its name
  return `no change could be compared${why === undefined ? "" : `, since ${why.sentence}`}`;
}
