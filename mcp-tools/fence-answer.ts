/** Fields of the core's answers that hold its own sentences; what they quote from outside stands between `"` in them. */
const SENTENCES = new Set(["sentence", "sentences", "because", "why", "needsPerson", "unknown", "widened", "suspects"]);

/**
 * An answer of the core on its way to a caller: what its sentences quote (a log signature, a commit message) gets the
 * fence of all outside text, and no name in it can carry the fence's own marks (S11). Names stay as they are
 * otherwise, so that they can be given back.
 */
export function fenceAnswer<T>(answer: T): T {
  return walk(answer, false) as T;
}

function walk(value: unknown, sentence: boolean): unknown {
  if (typeof value === "string") {
    const unmarked = value.replaceAll("«", "‹").replaceAll("»", "›");
    return sentence ? unmarked.replaceAll(/"([^"]*)"/g, "«$1»") : unmarked;
  }
  if (Array.isArray(value)) return value.map((one) => walk(one, sentence));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, walk(one, SENTENCES.has(key))]));
}
