/**
 * A probability as every surface words it (S15): whole percent. Nothing is certain: what rounds to all or nothing is shown as
 * nearly so. `probability`: 0–1. Pure.
 */
export function likelihood(probability: number): string {
  if (probability > 0.995) return "> 99 %";
  return probability < 0.005 ? "< 1 %" : `${Math.round(probability * 100)} %`;
}

/** As many digits as tell two doubles between 0 and 1 apart. */
const MOST_DIGITS = 15;

/**
 * A probability below a threshold, and the threshold: "79 %, below the confidence threshold of 80 %". Where both would read the same, as
 * many digits are shown as tell them apart. Of one that is not below, it is the likeliest change that is. Both 0–1. Pure.
 */
export function likelihoodBelow(probability: number, threshold: number): string {
  if (probability >= threshold) return `${likelihood(probability)}, and the likeliest change is below the threshold`;
  const needed = `below the confidence threshold of ${Number((threshold * 100).toPrecision(6))} %`;
  const rough = likelihood(probability);
  if (Math.round(probability * 100) < threshold * 100 && probability <= 0.995) return `${rough}, ${needed}`;
  for (let digits = 1; digits <= MOST_DIGITS; digits += 1) {
    const shown = (probability * 100).toFixed(digits);
    if (Number(shown) < threshold * 100) return `${shown} %, ${needed}`;
  }
  return `${rough}, just ${needed}`;
}
