/**
 * Which services of the same connected call graph a change of this one cannot reach, by who calls whom ([caller, callee]):
 * those that do not call it nor anything that it calls, directly or through others. Its callees are reached (it may ask
 * them more, or otherwise), and so is whoever else calls those. What no call joins to it, by way of others, is no control
 * group for it: how that fares says nothing of it, so that two systems that share a monitoring are judged as each alone. Of a
 * service that no edge names nothing is known: it is reached by none, and reaches all. Answers for one service; O(edges) to
 * make.
 */
export function outOfReachOf(
  edges: readonly (readonly [caller: string, callee: string])[],
  service: string,
): ReadonlySet<string> {
  const nodes = new Set(edges.flat());
  if (!nodes.has(service)) return new Set();
  const below = closure(new Set([service]), edges);
  const backwards = edges.map(([caller, callee]) => [callee, caller] as const);
  const reached = closure(below, backwards);
  const joined = closure(new Set([service]), [...edges, ...backwards]);
  return new Set([...nodes].filter((one) => joined.has(one) && !reached.has(one)));
}

/** Everything that arrows lead to from these, and these themselves. */
function closure(from: ReadonlySet<string>, arrows: readonly (readonly [string, string])[]): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const [a, b] of arrows) {
    const known = next.get(a);
    if (known === undefined) next.set(a, [b]);
    else known.push(b);
  }
  const found = new Set(from);
  const open = [...from];
  for (let one = open.pop(); one !== undefined; one = open.pop())
    for (const other of next.get(one) ?? [])
      if (!found.has(other)) {
        found.add(other);
        open.push(other);
      }
  return found;
}
