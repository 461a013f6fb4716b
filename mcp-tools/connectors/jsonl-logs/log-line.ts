import type { LogLine } from "../../../core/model/evidence.ts";
import { JSON_DEPTH, jsonWithin } from "../../../core/model/json-meter.ts";
import { redactSecrets } from "../../../core/model/untrusted-text.ts";

/** A message longer than this is cut: what it goes on to say helps nobody, and would crowd out other lines. */
const MAX_MESSAGE_CHARS = 8192;

/**
 * One line of a log file → a log line; null where it is no JSON object with a time and a service.
 *
 * Fields are looked for under the names that loggers use (ours, pino, bunyan, zap, logrus, Elastic Common Schema,
 * OpenTelemetry). `fallbackService` is used where the line names none. A level that is missing or unknown is "info".
 */
export function logLineOf(text: string, fallbackService?: string): LogLine | null {
  const fields = objectOf(text);
  if (fields === null) return null;
  const at = timeOf(first(fields, ["at", "time", "timestamp", "ts", "@timestamp"]));
  const service = textOf(first(fields, ["service", "service.name", "service_name", "app"])) ?? fallbackService;
  if (at === null || service === undefined) return null;
  const message = textOf(first(fields, ["message", "msg", "body"])) ?? "";
  const version = textOf(first(fields, ["version", "service.version", "service_version"]));
  const traceId = textOf(first(fields, ["trace_id", "traceId", "trace.id", "traceID"]));
  return {
    at,
    service,
    level: levelOf(first(fields, ["level", "severity", "log.level", "lvl"])),
    // Redacted where it enters: from here it may reach reasons, the ledger and notices (S10).
    message: redactSecrets(message.slice(0, MAX_MESSAGE_CHARS)),
    ...(version === undefined ? {} : { version }),
    ...(traceId === undefined ? {} : { traceId }),
  };
}

/** Far more than any logger writes in a line; a line of 1 MiB could hold ten times as many. */
const MOST_VALUES = 50_000;

type Fields = Readonly<Record<string, unknown>>;

function objectOf(text: string): Fields | null {
  const value = jsonWithin(text, { depth: JSON_DEPTH, values: MOST_VALUES });
  return isFields(value) ? value : null;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first of these fields that is there; "a.b" also means field b of object a. */
function first(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) {
    const [outer = "", inner] = name.split(".");
    const nested = fields[outer];
    const value = fields[name] ?? (inner !== undefined && isFields(nested) ? nested[inner] : undefined);
    if (value !== undefined && value !== null && !isFields(value)) return value;
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Above these, a number counts in the finer unit: seconds reach 1e11 in the year 5138, ms are past it since 1973. */
const MS_FROM = 1e11;
const MICROS_FROM = 1e14;
const NANOS_FROM = 1e17;

/** RFC 3339, or Unix time in s, ms, µs or ns, told apart by size → Unix ms. */
function timeOf(value: unknown): number | null {
  const number =
    typeof value === "number" ? value : typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : null;
  if (number !== null) {
    if (!(number >= 0)) return null;
    const ms =
      number >= NANOS_FROM
        ? number / 1e6
        : number >= MICROS_FROM
          ? number / 1e3
          : number >= MS_FROM
            ? number
            : number * 1000;
    return Math.floor(ms);
  }
  const parsed = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) || parsed < 0 ? null : parsed;
}

const LEVELS: Readonly<Record<string, LogLine["level"]>> = {
  trace: "debug",
  debug: "debug",
  info: "info",
  information: "info",
  informational: "info",
  notice: "info",
  warn: "warn",
  warning: "warn",
  error: "error",
  err: "error",
  severe: "error",
  fatal: "fatal",
  critical: "fatal",
  crit: "fatal",
  panic: "fatal",
  dpanic: "fatal",
  alert: "fatal",
  emerg: "fatal",
  emergency: "fatal",
};

/** Words, pino's and bunyan's numbers (10 to 60), or syslog's severities (0 to 7, RFC 5424 §6.2.1). */
function levelOf(value: unknown): LogLine["level"] {
  if (typeof value === "string" && Object.hasOwn(LEVELS, value.toLowerCase()))
    return LEVELS[value.toLowerCase()] ?? "info";
  const number = typeof value === "number" ? value : Number.NaN;
  if (number >= 0 && number < 8)
    return number <= 2 ? "fatal" : number === 3 ? "error" : number === 4 ? "warn" : number === 7 ? "debug" : "info";
  if (number >= 60) return "fatal";
  if (number >= 50) return "error";
  if (number >= 40) return "warn";
  return number >= 10 && number < 30 ? "debug" : "info";
}
