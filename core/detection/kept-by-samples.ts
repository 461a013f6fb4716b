/** Answers kept at once: the signals of the services about an open incident, several times over. */
const MOST_KEPT = 4096;

/**
 * What `answer` made of a list of samples, kept for as long as the same question comes with the same samples. Each look at
 * an open incident asks again what was usual before it, of samples that stand; they are compared by value, which takes a
 * small part of an order statistic, so that nothing has to be known of where they come from. `answer` must be pure.
 */
export function keptBySamples<T>(
  answer: (samples: readonly number[]) => T,
): (question: string, samples: readonly number[]) => T {
  const kept = new Map<string, { readonly samples: readonly number[]; readonly found: T }>();
  return (question, samples) => {
    const known = kept.get(question);
    if (known !== undefined && isSame(known.samples, samples)) return known.found;
    const found = answer(samples);
    if (known === undefined && kept.size >= MOST_KEPT) kept.clear();
    kept.set(question, { samples, found });
    return found;
  };
}

function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
