import { z } from "zod";
import { Moment } from "./time.ts";

export const LogLevel = z.enum(["debug", "info", "warn", "error", "fatal"]);

/** One log line. `message` is text from outside: data, never instruction (S11). */
export const LogLine = z.strictObject({
  at: Moment,
  service: z.string(),
  level: LogLevel,
  message: z.string(),
  version: z.string().optional(),
  traceId: z.string().optional(),
});
export type LogLine = Readonly<z.infer<typeof LogLine>>;

/** One span of a distributed trace. `startUs` Unix µs, `durationUs` µs. */
export const Span = z.strictObject({
  traceId: z.string(),
  spanId: z.string(),
  parentId: z.string().optional(),
  service: z.string(),
  name: z.string(),
  startUs: z.number().int().nonnegative(),
  durationUs: z.number().nonnegative(),
  error: z.boolean(),
  version: z.string().optional(),
  callee: z.string().optional().describe("Whom this span calls, where the callee reports no span of its own"),
  user: z
    .string()
    .optional()
    .describe(
      "Whose request it is, as a token that says nothing of the person: equal for the same user of one recording",
    ),
});
export type Span = Readonly<z.infer<typeof Span>>;

/**
 * Where an edge of the call graph is known from. `configured`: people wrote it down. `mesh`: proxies or a collector
 * counted its requests. `spans`: traces showed its calls. `template`: the caller's pod template holds the callee's address.
 */
export const EdgeSource = z.enum(["configured", "mesh", "spans", "template"]);
export type EdgeSource = z.infer<typeof EdgeSource>;

/** What is known of one edge beside that it is there. */
export const KnownEdge = z.strictObject({
  caller: z.string(),
  callee: z.string(),
  source: EdgeSource,
  confidence: z.number().gt(0).max(1).describe("Probability that the caller calls the callee"),
  traffic: z
    .strictObject({
      perSecond: z.number().positive().describe("Requests a second that were seen; of sampled traces a lower bound"),
      at: Moment.describe("When they were last seen"),
    })
    .optional()
    .describe("Absent: no traffic was measured over it"),
});
export type KnownEdge = Readonly<z.infer<typeof KnownEdge>>;

/** Who calls whom. An external node has no metrics of its own and cannot be rolled back. */
export interface Topology {
  readonly edges: readonly (readonly [caller: string, callee: string])[];
  readonly external: readonly string[];
  /** What is known of edges. An edge without an entry is configured: certain, its traffic not measured. */
  readonly details?: readonly KnownEdge[];
  /** Services whose own calls a source of learned edges would show: they report spans, or a proxy counts for them. */
  readonly reporting?: readonly string[];
}

/** An alert in Alertmanager's webhook fields. */
export const Alert = z.strictObject({
  fingerprint: z.string(),
  status: z.enum(["firing", "resolved"]),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  startsAt: Moment,
  endsAt: Moment.optional(),
});
export type Alert = Readonly<z.infer<typeof Alert>>;

/** A feature flag as its system holds it now. */
export const FlagState = z.strictObject({
  key: z.string(),
  environment: z.string(),
  enabled: z.boolean(),
  version: z.string().describe("Changes with each write; the precondition of a switch (S6)"),
  services: z.array(z.string()).describe("Services that evaluate it; empty: not known"),
  changedAt: Moment.optional(),
});
export type FlagState = Readonly<z.infer<typeof FlagState>>;

/** Which version of a service serves now, and which could be restored. */
export const Revision = z.strictObject({
  revision: z.string(),
  version: z.string(),
  createdAt: Moment,
  current: z.boolean(),
  reason: z.string().optional().describe("change-cause, from outside: data"),
  servedMs: z
    .number()
    .nonnegative()
    .optional()
    .describe("The longest it was the current one without a break; absent: its source does not tell"),
  becameReady: z
    .boolean()
    .optional()
    .describe("Whether its rollout was ever seen complete while it was current; absent: nobody checked then"),
});
export type Revision = Readonly<z.infer<typeof Revision>>;

export const Rollout = z.strictObject({
  service: z.string(),
  workload: z.strictObject({ kind: z.string(), namespace: z.string(), name: z.string() }),
  version: z.string(),
  revision: z.string(),
  status: z.enum(["complete", "progressing", "stuck", "paused", "unknown"]),
  replicas: z.strictObject({ desired: z.number(), updated: z.number(), ready: z.number(), available: z.number() }),
  restarts: z.number().describe("Container restarts of the pods that exist now"),
  revisions: z.array(Revision),
  managedBy: z.string().optional().describe("The GitOps controller that would undo a live change, if any"),
  observedAt: Moment,
  startedAt: Moment.optional().describe("When the current revision was made"),
  stable: z
    .strictObject({ version: z.string(), revision: z.string() })
    .optional()
    .describe("What still serves beside the current revision, and serves alone if its trial is aborted"),
});
export type Rollout = Readonly<z.infer<typeof Rollout>>;
