import { z } from "zod";
import { DURATION_PATTERN, durationHint, formatDuration, parseDuration } from "../durations.ts";
import { urlWrong } from "../hints/urls.ts";
import { orMore, quoted } from "../hints/write.ts";

/**
 * Gives a field its description and its unit; both reach the JSON Schema and the documentation. `unless`: what holds
 * where the file says nothing and the schema itself cannot say it as a default.
 */
export function field<T extends z.ZodType>(
  schema: T,
  description: string,
  { unit, unless }: { readonly unit?: string; readonly unless?: string } = {},
): T {
  const sentence = unit === undefined ? description : `${description} Unit: ${unit}.`;
  return schema.meta({
    description: sentence,
    ...(unit === undefined ? {} : { "x-unit": unit }),
    ...(unless === undefined ? {} : { "x-default": unless }),
  });
}

/** A text with something in it. */
export const text = () => z.string().min(1).max(10_000);

/**
 * A path on this machine: absolute, or counted from the folder of the configuration file. Marked in the schema, so
 * that a test finds each one. A shell's `~` and a URL mean something else to whoever writes them, and are refused.
 */
export const path = () =>
  text()
    .superRefine((value, context) => {
      if (/^~/.test(value)) problem(context, "begins with ~, which only a shell understands", "write the folder out");
      else if (/^[a-z][a-z0-9+.-]*:\/\/|^file:/i.test(value)) problem(context, "is a URL", "write a path");
      else if (value.includes("\0")) problem(context, "holds a character that no path can hold", "write a path");
    })
    .meta({ "x-path": true });

/** A name of something outside: one line without surrounding space, at most 253 characters (the limit of DNS). */
export const name = () =>
  z
    .string()
    .max(253)
    .superRefine((value, context) => {
      if (/^\S(?:[^\p{Cc}]*\S)?$/u.test(value)) return;
      problem(context, "is no name", "one line, not empty, no space around it");
    });

/** A duration in Prometheus' spelling, at least `leastMs` long. Stays a text here; `to-config` turns it into ms. */
export const duration = (leastMs = 0) =>
  z
    .string()
    .superRefine((value, context) => {
      const ms = parseDuration(value);
      if (ms === null) problem(context, "is no duration", durationHint(value));
      else if (ms < leastMs) problem(context, "is too short", orMore(quoted(formatDuration(leastMs))));
    })
    .meta({ pattern: DURATION_PATTERN });

/** An http or https URL. A password in it would reach logs and error texts (S10), so it is refused. */
export const url = () =>
  z.string().superRefine((value, context) => {
    const wrong = urlWrong(value);
    if (wrong !== null) problem(context, wrong.what, wrong.hint);
  });

/** A secret: `${VARIABLE}`, `${file:/path}`, or (not wise) the secret itself. */
export const secret = () => z.string().min(1);

/** A share from 0 to 1, both ends allowed. */
export const ratio = () => z.number().min(0).max(1);

/** A whole number of things, at least `least`. */
export const count = (least = 0) => z.int().min(least).max(1_000_000);

function problem(context: z.RefinementCtx<string>, what: string, hint: string): void {
  context.addIssue({ code: "custom", message: what, params: { hint } });
}
