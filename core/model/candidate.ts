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

/** The reason of a ranking that weighed nothing: there is no onset. */
export const NOTHING_TO_COMPARE = "nothing to compare";

/**
 * Every hypothesis with its probability; candidates (most probable first) and "no change" sum to 1.
 * `rootCauses`: services by how likely the trouble starts there, scores 0–1, most likely first.
 */
export const Ranking = z.strictObject({
  candidates: z.array(Candidate),
  noChangeProbability: z.number().min(0).max(1),
  noChangeReasons: z.array(Reason),
  rootCauses: z.array(z.strictObject({ service: z.string(), score: z.number() })),
  weighed: z
    .array(z.enum(["call-graph", "logs", "traces"]))
    .optional()
    .describe("What there was of these to weigh places by, whether or not it said anything; absent: not recorded"),
});
export type Ranking = Readonly<z.infer<typeof Ranking>>;

/**
 * Whether changes were weighed at all. Where there was no onset to compare them with, the whole probability lies at "no change"
 * for want of anything else: it is no figure of it, and nobody is told it as one (S9).
 */
export const isCompared = ({ candidates, noChangeReasons }: Pick<Ranking, "candidates" | "noChangeReasons">): boolean =>
  candidates.length > 0 || !noChangeReasons.some(({ name }) => name === NOTHING_TO_COMPARE);
