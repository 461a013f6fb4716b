/**
 * How often a service has a degradation of its own in any half hour, unrelated to this one. It differs by system (and by
 * how well its signals behave), so it is not fixed: each of these, with the weight before any data; what the other
 * services look like decides. Its onset lies anywhere, so that it seldom falls together with this one's.
 */
export const UNRELATED = [
  { rate: 0.01, weight: 0.6 },
  { rate: 0.1, weight: 0.3 },
  { rate: 0.4, weight: 0.1 },
] as const;
