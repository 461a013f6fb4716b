import type { EdgeSource, KnownEdge } from "./evidence.ts";

/** One text for an edge, to find it by. */
export const edgeKey = (caller: string, callee: string): string => `${caller}\n${callee}`;

/** Calls from one service to another, and when the last of them is known to have been made (Unix ms). */
export interface CallCount {
  readonly caller: string;
  readonly callee: string;
  readonly requests: number;
  readonly at: number;
}

/**
 * How sure an edge is over which `requests` were seen, and never anything that contradicts it: Laplace's rule of
 * succession, (n + 1) / (n + 2). One call is two in three, since names may be mistaken; a hundred are 99 %.
 *
 * @see Laplace, "Essai philosophique sur les probabilités" (1814), the sixth and seventh principle
 */
export const seenConfidence = (requests: number): number => (Math.max(0, requests) + 1) / (Math.max(0, requests) + 2);

/** One edge of which `requests` were seen in `windowMs`, ms. */
export function seenEdge({ caller, callee, requests, at }: CallCount, source: EdgeSource, windowMs: number): KnownEdge {
  const traffic = { perSecond: (requests * 1000) / Math.max(1000, windowMs), at: Math.round(at) };
  return { caller, callee, source, confidence: seenConfidence(requests), ...(requests > 0 ? { traffic } : {}) };
}
