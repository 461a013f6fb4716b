/**
 * The parts of a source that are unknown, those of one kind together: "metrics: error_rate, p99_latency; history: error_rate; targets".
 * `what`: each a kind, or a kind and what of it: "metrics: error_rate". Pure.
 */
export function partsText(what: readonly string[]): string {
  const kinds = Map.groupBy(what, (one) => (one.includes(": ") ? one.slice(0, one.indexOf(": ")) : one));
  return [...kinds]
    .map(([kind, all]) => {
      const rests = all.flatMap((one) => (one === kind ? [] : [one.slice(kind.length + 2)]));
      return rests.length === 0 ? kind : `${kind}: ${rests.join(", ")}`;
    })
    .join("; ");
}
