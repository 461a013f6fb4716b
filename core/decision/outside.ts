import type { CaseEvidence } from "../correlation/rank.ts";

/** What points at something outside that no deploy of ours can mend. */
export interface OutsideCause {
  readonly node: string;
  readonly sentences: readonly string[];
}

/** More than half of what failed: a node behind fewer failures is one trouble among others. */
const MOST = 0.5;
/** One failed call is an accident, as one log line is. */
const LEAST_CALLS = 2;

type Evidence = Pick<CaseEvidence, "caseFile" | "worse" | "signatures" | "onset">;

/**
 * The external node that the topology, and beside it spans or logs, point at: a service that is worse calls it, and
 * since the onset most of that service's failed requests failed in a call to it, or a new error of that service names it. Null where
 * none does, or several do equally: then nobody is accused. It ranks nothing; it finds the words.
 */
export function outsideCause({ caseFile, worse, signatures, onset }: Evidence): OutsideCause | null {
  const { edges, external } = caseFile.topology ?? { edges: [], external: [] };
  const found = external
    .map((node) => {
      const callers = edges
        .filter(([caller, callee]) => callee === node && worse.has(caller))
        .map(([caller]) => caller);
      const failures = caseFile.spans.filter(
        (span) => span.error && callers.includes(span.service) && span.startUs / 1000 >= onset.earliest,
      );
      const calls = failures.filter(({ callee }) => callee === node);
      const behind = new Set(calls.map(({ traceId, parentId }) => `${traceId}/${parentId}`));
      const requests = failures.filter(({ callee }) => callee === undefined);
      const failed = requests.filter(({ traceId, spanId }) => behind.has(`${traceId}/${spanId}`)).length;
      const lines = signatures.filter(({ service, names }) => callers.includes(service) && names.includes(node));
      const bySpans = failed >= LEAST_CALLS && failed > MOST * requests.length;
      const who = [...new Set(callers)].sort().join(" and ");
      const sentences = [
        ...(bySpans
          ? [
              `${failed} of ${requests.length} failed requests of ${who} in the traces failed in a call to ${node}, outside`,
            ]
          : []),
        ...lines.slice(0, 1).map(({ service, template }) => `a new error of ${service} names ${node}: "${template}"`),
      ];
      return { node, weight: (bySpans ? failed : 0) + lines.reduce((sum, { count }) => sum + count, 0), sentences };
    })
    .filter(({ sentences }) => sentences.length > 0)
    .toSorted((a, b) => b.weight - a.weight);
  const [first, second] = found;
  if (first === undefined || first.weight === second?.weight) return null;
  const advice = `${first.node} is not ours to roll back: ask whoever runs it, and hold back or queue what needs it`;
  return { node: first.node, sentences: [...first.sentences, advice] };
}
