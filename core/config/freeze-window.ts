import { Cron } from "croner";

/** What becomes of rollbacks while a freeze holds; people have to say it, since a freeze of deploys is often meant to let them through. */
export const FREEZE_ROLLBACKS = ["allow", "approve", "deny"] as const;

/** One stretch in which a freeze holds, Unix ms. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Looked at to find the end; a freeze that reopens more often within its own length is said to last at least so long. */
const MOST_STARTS = 50;

/**
 * A recurring window: it opens whenever `cron` (five fields: minute, hour, day, month, weekday) matches the clock of
 * `timeZone` (IANA name), and stays open for `durationMs`. The answer tells of a moment (Unix ms) in which stretch it
 * lies, as it will end if nothing reopens it after this moment; null: in none. The first ms is inside, the last is not.
 *
 * Throws where the pattern or the zone is none. Where the clock is put forward, a start that does not exist that day
 * is taken at the moment after the gap; where it is put back, one that exists twice is taken once (croner's rules).
 */
export function compileFreeze(cron: string, timeZone: string, durationMs: number): (now: number) => Stretch | null {
  const pattern = new Cron(cron, { mode: "5-part", timezone: timeZone, paused: true });
  return (now) => {
    let start = pattern.nextRun(new Date(now - durationMs))?.getTime();
    if (start === undefined || start > now) return null;
    const from = start;
    for (let count = 0; count < MOST_STARTS; count += 1) {
      const next: number | undefined = pattern.nextRun(new Date(start))?.getTime();
      if (next === undefined || next > now) break;
      start = next;
    }
    return { from, to: start + durationMs };
  };
}

/** Why something is no cron pattern of five fields; null: it is one that will match some day. */
export function cronProblem(cron: string): string | null {
  if (cron.trim().split(/\s+/).length !== 5) return "has not five fields";
  try {
    const next = new Cron(cron, { mode: "5-part", timezone: "UTC", paused: true }).nextRun(new Date(ANY_DAY));
    return next === null ? "never matches" : null;
  } catch {
    return "is no cron pattern";
  }
}

/** Starts that are looked at: a year of days. */
const STARTS = 370;

/** The longest time between two starts of a cron pattern, ms; null: it is none. */
export function longestPause(cron: string, timeZone: string): number | null {
  try {
    const pattern = new Cron(cron, { mode: "5-part", timezone: timeZone, paused: true });
    const starts = pattern.nextRuns(STARTS, new Date(ANY_DAY)).map((at) => at.getTime());
    const pauses = starts.slice(1).map((at, index) => at - (starts[index] ?? at));
    return pauses.length === 0 ? null : Math.max(...pauses);
  } catch {
    return null;
  }
}

/** Any moment does: a pattern repeats within the leap years' cycle. */
const ANY_DAY = Date.UTC(2026, 0, 1);

/** Whether the platform knows a time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
