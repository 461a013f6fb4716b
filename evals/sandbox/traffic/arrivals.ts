/** A seeded source of numbers in [0, 1): Mulberry32, enough for traffic and the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Visit {
  readonly method: "GET" | "POST";
  readonly path: string;
}

export interface Arrival extends Visit {
  /** ms after the arrival before it. */
  readonly afterMs: number;
}

/** What visitors do, with its share; the shares sum to one. */
export type Mix = readonly (Visit & { readonly share: number })[];

/** What the shop's visitors do. Checkout is busier than in a real shop: a demo has no hour to wait for orders. */
export const MIX: Mix = [
  { method: "GET", path: "/browse", share: 0.35 },
  { method: "GET", path: "/search", share: 0.15 },
  { method: "GET", path: "/cart", share: 0.2 },
  { method: "POST", path: "/checkout", share: 0.3 },
];

/** An endless Poisson process of visits: independent, exponentially spaced, `requestsPerSecond` on average. */
export function* arrivals(requestsPerSecond: number, seed: number, mix: Mix = MIX): Generator<Arrival, never> {
  const random = seededRandom(seed);
  for (;;) {
    const afterMs = (-Math.log(1 - random()) * 1000) / requestsPerSecond;
    yield { afterMs, ...pick(mix, random()) };
  }
}

function pick(mix: Mix, point: number): Visit {
  let sum = 0;
  for (const { method, path, share } of mix) {
    sum += share;
    if (point < sum) return { method, path };
  }
  const last = mix.at(-1);
  if (last === undefined) throw new Error("a mix without a visit");
  return { method: last.method, path: last.path };
}
