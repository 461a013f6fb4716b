/**
 * Which hypotheses "not worse" are refused, each with its weight and e-value, so that the chance of refusing any true
 * one is at most `alpha`, however the metrics hang together and whenever one looks (closed testing).
 *
 * Each intersection is tested by the weighted mean of its e-values, itself an e-value under any dependence; one
 * hypothesis is refused when every intersection that holds it is. The hardest of them joins it with all whose e-value
 * is below 1/α, hence one pass suffices. With a single hypothesis this is Markov's (Ville's) bound; it refuses whatever
 * weighted Bonferroni refuses among hypotheses without evidence, and needs no independence.
 *
 * `tests`: log e-values (nats) and positive weights of any sum. 0 < `alpha` ≤ 1. O(n).
 *
 * @see Vovk & Wang (2021), "E-values: calibration, combination and applications", Ann. Stat. 49(3):1736–1754, §3 and
 *   Algorithm 1; Marcus, Peritz & Gabriel (1976), Biometrika 63:655–660, for closed testing
 */
export function refused(
  tests: readonly { readonly nats: number; readonly weight: number }[],
  alpha: number,
): readonly boolean[] {
  const excess = tests.map(({ nats, weight }) => weight * (alpha * Math.exp(Math.min(nats, MOST_NATS)) - 1));
  const burden = excess.reduce((sum, one) => sum + Math.min(0, one), 0);
  return excess.map((one) => one >= 0 && one + burden >= 0);
}

/** What a single metric must reach to be refused if no other has any evidence, in nats: the weighted Bonferroni bound. */
export function neededNats(weight: number, totalWeight: number, alpha: number): number {
  return Math.log(totalWeight / weight) - Math.log(alpha);
}

/** Beyond this the exponential function overflows; far more than any verdict needs. */
const MOST_NATS = 600;
