/** Ranks further down add little; 60 is the constant of the paper, and results barely depend on it. */
const K = 60;

/**
 * Reciprocal rank fusion: each list adds 1/(60 + rank) to what it names, rank from 1. Scores of different searches
 * cannot be compared; ranks can. Returns ids with their sum, best first, ties by id.
 *
 * @see Cormack, Clarke, Büttcher (2009), SIGIR '09, 758–759, doi:10.1145/1571941.1572114
 */
export function fuse(
  rankings: readonly (readonly string[])[],
): readonly { readonly id: string; readonly score: number }[] {
  const scores = new Map<string, number>();
  for (const ranking of rankings) {
    for (const [index, id] of [...new Set(ranking)].entries()) {
      scores.set(id, (scores.get(id) ?? 0) + 1 / (K + index + 1));
    }
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}
