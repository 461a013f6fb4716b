import { cronProblem, isTimeZone } from "../freeze-window.ts";
import { nearest } from "../nearest.ts";
import { quoted, write } from "./write.ts";

const FIELDS = [
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day", 1, 31],
  ["month", 1, 12],
  ["weekday", 0, 7],
] as const;
const NAMED: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const EXAMPLE = 'minute hour day month weekday: "0 17 * * 5" is Fridays at 17:00';

/** What somebody who wrote this for a cron pattern of five fields should write. */
export function cronHint(text: string): string {
  const meant = cronMeant(text.trim().toLowerCase());
  if (meant !== null && cronProblem(meant) === null) return write(quoted(meant));
  const fields = text.trim().split(/\s+/);
  const wrong = fields.length === 5 ? FIELDS.findIndex((_, index) => !isInRange(fields[index] ?? "", index)) : -1;
  const [name, least, most] = FIELDS[wrong] ?? [];
  if (name === undefined) return EXAMPLE;
  return `the ${name} is ${quoted(fields[wrong] ?? "")}, and goes from ${least} to ${most}; ${EXAMPLE}`;
}

function cronMeant(text: string): string | null {
  const named = NAMED[text];
  if (named !== undefined) return named;
  const fields = text.split(/\s+/).map((one) => (one === "?" ? "*" : one));
  // Quartz and Spring begin with seconds; some end with a year.
  if (fields.length === 6 && fields[0] === "0") return fields.slice(1).join(" ");
  if (fields.length === 7 && fields[0] === "0") return fields.slice(1, 6).join(" ");
  if (fields.length === 5) return fields.join(" ");
  const [, day = "", hour = "", minute = "0"] = /^(?:([a-z]{3})[a-z]*,?\s+)?(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  const weekday = WEEKDAYS.indexOf(day);
  if (hour === "" || (day !== "" && weekday < 0)) return null;
  return `${Number(minute)} ${Number(hour)} * * ${weekday < 0 ? "*" : weekday}`;
}

function isInRange(field: string, index: number): boolean {
  const [, least = 0, most = 0] = FIELDS[index] ?? [];
  return (field.match(/\d+/g) ?? []).map(Number).every((one) => one >= least && one <= most);
}

/** Abbreviations are no names of zones; most are of several countries, of which the likeliest is offered. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  cest: "Europe/Berlin",
  bst: "Europe/London",
  west: "Europe/Lisbon",
  eest: "Europe/Helsinki",
  edt: "America/New_York",
  cdt: "America/Chicago",
  cst: "America/Chicago",
  mdt: "America/Denver",
  pdt: "America/Los_Angeles",
  pst: "America/Los_Angeles",
  ist: "Asia/Kolkata",
  jst: "Asia/Tokyo",
  sgt: "Asia/Singapore",
  aest: "Australia/Sydney",
  aedt: "Australia/Sydney",
};

/** What somebody who wrote this for a time zone should write. */
export function zoneHint(text: string): string {
  const plain = text.trim().replaceAll(" ", "_");
  const known = ABBREVIATIONS[plain.toLowerCase()];
  if (known !== undefined) return write(known, ", or the zone of another place");
  const [, sign = "", hours = "", minutes = "00"] = /^(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?$/i.exec(plain) ?? [];
  // Etc's zones count the other way round, as POSIX does.
  const fixed = `Etc/GMT${sign === "+" ? "-" : "+"}${Number(hours)}`;
  if (sign !== "" && minutes === "00" && Number(hours) > 0 && isTimeZone(fixed))
    return write(fixed, " for that offset, without summer time; or a place, like Europe/Berlin");
  if (isTimeZone(plain)) return write(plain);
  const near = nearest(plain, Intl.supportedValuesOf("timeZone"));
  return near === null ? 'an IANA name, like "Europe/Berlin"' : `did you mean ${near}?`;
}
