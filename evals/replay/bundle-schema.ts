import { z } from "zod";
import { GAP_KINDS, GAP_REASONS, type Gap, type GapKind } from "../../core/model/assessment.ts";
import { LARGEST_VALUE } from "../../core/model/believable.ts";
import { ChangeKind, WorkloadRef } from "../../core/model/change.ts";
import { DIFF_CHARS } from "../../core/model/commit.ts";
import { EdgeSource, LogLevel } from "../../core/model/evidence.ts";
import { ImpactLevel } from "../../core/model/impact.ts";
import { Worse } from "../../core/model/signal.ts";

/** The incident bundle's files as they stand on disk: RFC 3339 times, Unix seconds in series, Unix µs in spans. */

/**
 * RFC 3339 with its zone, whatever that is; §5.6 lets a blank stand for the T, and small letters. A number or a time
 * without a zone says too little of what is meant, and is refused.
 */
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d:\d\d:\d\d)([.]\d+)?([Zz]|[+-]\d\d:\d\d)$/;

const Time = z.string({ error: "is no RFC 3339 time, such as 2026-05-16T18:59:21Z" }).transform((text, context) => {
  const match = RFC_3339.exec(text);
  const [, year, month, day, clock, fraction = "", zone = ""] = match ?? [];
  const at = Date.parse(`${year}-${month}-${day}T${clock}${fraction}${zone.toUpperCase()}`);
  const isOnCalendar = Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (match !== null && isOnCalendar && !Number.isNaN(at)) return at;
  context.addIssue("is no RFC 3339 time with its zone, such as 2026-05-16T18:59:21Z");
  return z.NEVER;
});

/** A word of a fixed list, in whatever case it is written. */
const anyCase = <T extends z.ZodType<string, string>>(word: T) => z.string().toLowerCase().pipe(word);

/** What log levels are called elsewhere (syslog, Java, Python, OpenTelemetry), in our words. */
const LEVELS: ReadonlyMap<string, z.infer<typeof LogLevel>> = new Map([
  ["trace", "debug"],
  ["information", "info"],
  ["informational", "info"],
  ["notice", "info"],
  ["warning", "warn"],
  ["err", "error"],
  ["severe", "error"],
  ["critical", "fatal"],
  ["crit", "fatal"],
  ["alert", "fatal"],
  ["emerg", "fatal"],
  ["emergency", "fatal"],
  ["panic", "fatal"],
]);

const Level = z
  .string()
  .transform((text) => LEVELS.get(text.toLowerCase()) ?? text.toLowerCase())
  .pipe(LogLevel);

/** A label's value; a number or a truth value is its text. */
const Labels = z.record(
  z.string(),
  z.union([z.string(), z.number().transform(String), z.boolean().transform(String)], { error: "must be a text" }),
);

/**
 * The version before or after. A flag may say true or false, a setting its number (as a version, 1.10 would read as 1.1);
 * null before: there was none.
 */
const Version = z.union(
  [z.string(), z.boolean().transform((on) => (on ? "on" : "off")), z.number().transform(String)],
  {
    error: "must be a text; write a version in quotes",
  },
);

export const IncidentFile = z.strictObject({
  schema: z.literal(1, { error: "must be 1: this version of unship reads no other" }).default(1),
  id: z.string().min(1),
  title: z.string(),
  watch: z.strictObject({ start: Time, end: Time }),
  services: z.array(
    z.strictObject({
      name: z.string(),
      namespace: z.string(),
      criticality: anyCase(ImpactLevel),
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
/** Seconds. A coarser history says nothing of what is usual at a time of day or week. */
const LONGEST_STEP = 7 * 86_400;
/** Unix seconds: 10¹¹ is the year 5138, and as ms 1973. Beyond it stands a slip of the unit. */
const LATEST = 1e11;

export const SeriesLine = z.strictObject({
  service: z.string(),
  metric: z.string(),
  unit: z.string(),
  labels: Labels.optional(),
  worse: anyCase(Worse).optional(),
  start: z
    .number({ error: "must be Unix seconds, a number" })
    .nonnegative()
    .max(LATEST, { error: "must be Unix seconds; this is beyond the year 5000, or in ms" }),
  step: z
    .number()
    .min(SHORTEST_STEP, { error: `must be at least ${SHORTEST_STEP} s` })
    .max(LONGEST_STEP, { error: "must be at most a week, in seconds; this is longer, or in ms" }),
  values: z.array(z.number().min(-LARGEST_VALUE).max(LARGEST_VALUE).nullable()),
});

export const ChangeLine = z.strictObject({
  id: z.string().min(1),
  kind: anyCase(z.enum([...ChangeKind.options, "infrastructure"])),
  service: z.string(),
  from: Version.nullable().transform((version) => version ?? ""),
  to: Version,
  started_at: Time,
  finished_at: Time.nullable().optional(),
  source: z.string(),
  reversible: z.boolean(),
  author: z.string().optional(),
  commit: z.string().optional(),
  message: z.string().optional(),
  commits: z
    .array(
      z.strictObject({
        sha: z.string().min(1),
        message: z.string(),
        author: z.string().optional(),
        at: Time.optional(),
        files: z.array(z.string()).optional(),
        diff: z
          .string()
          .max(DIFF_CHARS, { error: `must be an excerpt of ${DIFF_CHARS} characters at most` })
          .optional(),
      }),
    )
    .optional(),
  diff: z
    .strictObject({
      files: z.number(),
      insertions: z.number(),
      deletions: z.number(),
      paths: z.array(z.string()).optional(),
    })
    .optional(),
  flag: z.string().optional(),
  environment: z.string().optional(),
  canary: z.number().min(0).max(1).optional(),
  provides: z.record(z.string(), z.string()).optional(),
  requires: z.record(z.string(), z.string()).optional(),
  own_rollback: z.boolean().optional(),
  released_by: z.array(WorkloadRef).optional(),
});

export const TopologyFile = z.strictObject({
  edges: z.array(z.tuple([z.string(), z.string()])).default([]),
  external: z.array(z.string()).optional(),
  details: z
    .array(
      z.strictObject({
        caller: z.string(),
        callee: z.string(),
        source: EdgeSource,
        confidence: z.number().gt(0).max(1),
        traffic: z.strictObject({ per_second: z.number().positive(), at: Time }).optional(),
      }),
    )
    .optional(),
  reporting: z.array(z.string()).optional(),
});

export const LogFileLine = z.strictObject({
  at: Time,
  service: z.string(),
  level: Level,
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
  status: anyCase(z.enum(["firing", "resolved"])),
  labels: Labels.default({}),
  annotations: Labels.default({}),
  startsAt: Time,
  // Alertmanager writes the year 1 for an alert that has not ended.
  endsAt: Time.transform((at) => (at <= 0 ? undefined : at)).optional(),
});

/** What a source did not say while the bundle was recorded: it is unknown, not empty. */
/**
 * A gap of a recording. Bundles of before gaps had a kind say it in the words of `what` alone, and those had two forms that a
 * replay knows: they are read as what they meant, all others as samples that are partly missing.
 */
export const GapLine = z
  .strictObject({
    of: z.enum(GAP_KINDS).optional(),
    how: z.enum(GAP_REASONS).optional(),
    metric: z.string().optional(),
    services: z.array(z.string()).optional(),
    source: z.string(),
    what: z.string(),
    because: z.string(),
    since: z.number().optional(),
  })
  .transform(({ of, how, metric, services, since, ...words }): Gap => {
    const old = of === undefined ? kindOfOld(words.what) : { of, metric };
    const about = old.metric === undefined ? {} : { metric: old.metric };
    const whose = services === undefined ? {} : { services };
    const from = since === undefined ? {} : { since };
    return { of: old.of, how: how ?? "unanswered", ...about, ...whose, ...words, ...from };
  });

function kindOfOld(what: string): { readonly of: GapKind; readonly metric: string | undefined } {
  const [, first = "", metric] = /^(\w+)(?:: (.+))?$/.exec(what) ?? [];
  const of = first === "spans" ? "traces" : GAP_KINDS.find((kind) => kind === first);
  return { of: of ?? "targets", metric: of === "metrics" || of === "history" ? metric : undefined };
}

/** One of several incidents of a bundle that are decided apart. */
const TruthPart = z.looseObject({ culprit: z.string(), targets: z.array(z.string()), onset: Time });

/** For scoring alone: nothing that the agent reads may open it. */
export const TruthFile = z.looseObject({
  faulty: z.boolean(),
  action: z.string(),
  acceptable: z.array(z.string()),
  culprit: z.string().nullable().default(null),
  targets: z.array(z.string()),
  onset: Time.nullable().default(null),
  incidents: z.array(TruthPart).optional(),
  culprits: z.array(z.string()).optional(),
});
export type TruthFile = z.infer<typeof TruthFile>;
