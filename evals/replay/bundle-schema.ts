import { z } from "zod";
import { ChangeKind } from "../../core/model/change.ts";
import { LogLevel } from "../../core/model/evidence.ts";
import { ImpactLevel } from "../../core/model/impact.ts";
import { Worse } from "../../core/model/signal.ts";

/** The incident bundle's files as they stand on disk: RFC 3339 times, Unix seconds in series, Unix µs in spans. */

const Time = z
  .string()
  .refine(
    (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
    {
      error: "is no RFC 3339 time, such as 2026-05-16T18:59:21Z",
    },
  )
  .transform((text) => Date.parse(text));

export const IncidentFile = z.strictObject({
  schema: z.literal(1),
  id: z.string().min(1),
  title: z.string(),
  watch: z.strictObject({ start: Time, end: Time }),
  services: z.array(
    z.strictObject({
      name: z.string(),
      namespace: z.string(),
      criticality: ImpactLevel,
      revenue_per_minute: z.number().nonnegative().optional(),
    }),
  ),
  human: z
    .strictObject({
      action: z.string(),
      change_id: z.string().optional(),
      at: Time.optional(),
      note: z.string().optional(),
    })
    .optional(),
});
export type IncidentFile = z.infer<typeof IncidentFile>;

/** Seconds. Nobody samples a production system faster; a shorter one is a slip of the unit. */
const SHORTEST_STEP = 0.1;
/** No signal is larger; sums and squares of such values stay finite. */
const LARGEST = 1e15;

export const SeriesLine = z.strictObject({
  service: z.string(),
  metric: z.string(),
  unit: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  worse: Worse.optional(),
  start: z.number().nonnegative(),
  step: z.number().min(SHORTEST_STEP, { error: `must be at least ${SHORTEST_STEP} s` }),
  values: z.array(z.number().min(-LARGEST).max(LARGEST).nullable()),
});

export const ChangeLine = z.strictObject({
  id: z.string().min(1),
  kind: ChangeKind,
  service: z.string(),
  from: z.string(),
  to: z.string(),
  started_at: Time,
  finished_at: Time.nullable().optional(),
  source: z.string(),
  reversible: z.boolean(),
  author: z.string().optional(),
  commit: z.string().optional(),
  message: z.string().optional(),
  diff: z.strictObject({ files: z.number(), insertions: z.number(), deletions: z.number() }).optional(),
  flag: z.string().optional(),
  environment: z.string().optional(),
  canary: z.number().min(0).max(1).optional(),
  provides: z.record(z.string(), z.string()).optional(),
  requires: z.record(z.string(), z.string()).optional(),
  own_rollback: z.boolean().optional(),
});

export const TopologyFile = z.strictObject({
  edges: z.array(z.tuple([z.string(), z.string()])),
  external: z.array(z.string()).optional(),
});

export const LogFileLine = z.strictObject({
  at: Time,
  service: z.string(),
  level: LogLevel,
  message: z.string(),
  version: z.string().optional(),
});

export const SpanLine = z.strictObject({
  trace_id: z.string(),
  span_id: z.string(),
  parent_id: z.string().nullable().optional(),
  service: z.string(),
  name: z.string(),
  start: z.number().int().nonnegative(),
  duration: z.number().nonnegative(),
  error: z.boolean(),
  version: z.string().optional(),
  user: z.string().optional(),
});

export const AlertLine = z.strictObject({
  fingerprint: z.string(),
  status: z.enum(["firing", "resolved"]),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()),
  startsAt: Time,
  endsAt: Time.optional(),
});

/** What a source did not say while the bundle was recorded: it is unknown, not empty. */
export const GapLine = z.strictObject({ source: z.string(), what: z.string(), because: z.string() });

/** For scoring alone: nothing that the agent reads may open it. */
export const TruthFile = z.looseObject({
  faulty: z.boolean(),
  action: z.string(),
  acceptable: z.array(z.string()),
  culprit: z.string().nullable(),
  targets: z.array(z.string()),
  onset: Time.nullable(),
});
export type TruthFile = z.infer<typeof TruthFile>;
