import type { SampleIndex } from "./samples.ts";

/**
 * Several steps of one assessment ask the same of the same samples: what such a question found is worked out once for
 * each index and key, and kept as long as the index. `answer` must depend on the index and the key alone.
 */
export function onceAnIndex<T>(): (index: SampleIndex, key: string, answer: () => T) => T {
  const known = new WeakMap<SampleIndex, Map<string, { readonly found: T }>>();
  return (index, key, answer) => {
    const ofIndex = known.get(index) ?? new Map<string, { readonly found: T }>();
    known.set(index, ofIndex);
    const kept = ofIndex.get(key) ?? { found: answer() };
    ofIndex.set(key, kept);
    return kept.found;
  };
}
