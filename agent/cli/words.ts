/** A probability for a person. Nothing is certain: what rounds to all or nothing is shown as nearly so. */
export function likelihood(probability: number): string {
  if (probability > 0.995) return "> 99 %";
  return probability < 0.005 ? "< 1 %" : `${Math.round(probability * 100)} %`;
}

/** A pause's scope as people say it: the gate's "*" would be eaten by a shell. */
export function scopeText(scope: string): string {
  return scope === "*" ? "all" : scope;
}
