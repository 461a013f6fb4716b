import { z } from "zod";

/** Ordered: low < medium < high < critical. */
export const ImpactLevel = z.enum(["low", "medium", "high", "critical"]);
export type ImpactLevel = z.infer<typeof ImpactLevel>;

/** The level of an incident's impact. "unknown": nothing that was measured says how grave it is; it has no place in the order. */
export const KnownLevel = z.enum([...ImpactLevel.options, "unknown"]);
export type KnownLevel = z.infer<typeof KnownLevel>;

/**
 * Who is hurt and how much. `affectedServices`: those whose own error, latency or health signal is worse, the
 * origin included. A figure that cannot be computed is null; where the level
 * depends on it, `unknown` says which and why, and the level is "unknown" where nothing measured carries it (S9).
 */
export const Impact = z.strictObject({
  /** At least this, by what was measured. */
  level: KnownLevel,
  affectedServices: z.array(z.string()),
  failedShare: z.number().nullable().describe("Failed requests of all requests at the worst edge, 0–1"),
  /** Requests that became slow at the worst service, 0–1; null or absent: none did, as far as it is measured. */
  slowShare: z.number().nullable().optional(),
  failedUserShare: z
    .number()
    .nullable()
    .default(null)
    .describe("Users with a failed request since onset, of all users in traces, 0–1; null: too few are named"),
  failedRequestsPerSecond: z.number().nullable(),
  revenuePerMinute: z.number().nullable().describe("Revenue at risk a minute, in the configured currency"),
  routes: z.array(z.strictObject({ service: z.string(), route: z.string(), failedShare: z.number() })),
  unknown: z.array(z.string()),
  sentences: z.array(z.string()),
  /** Requests are counted where users come in, and none was since what is asked about. */
  notYet: z.literal(true).optional(),
});
export type Impact = Readonly<z.infer<typeof Impact>>;
