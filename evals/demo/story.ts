import { wrap } from "../../agent/cli/wrap.ts";
import { durationText } from "../../core/model/time.ts";
import { DEMO_DURATIONS, type Durations, SEED_DURATIONS } from "./durations.ts";
import { type DemoResult, momentsOf } from "./result.ts";
import type { WatchLine } from "./watch-process.ts";
import { isLate } from "./watch-sight.ts";

/** Colours where a terminal shows them, nothing where the output goes to a file. */
export function paints(colour: boolean) {
  const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33), cyan: paint(36) };
}
type Paints = ReturnType<typeof paints>;

const HEADINGS: Readonly<Record<string, (paint: Paints) => string>> = {
  "canary.judged": ({ cyan }) => cyan("CANARY   "),
  "incident.detected": ({ yellow }) => yellow("DETECTED "),
  "incident.assessed": ({ cyan }) => cyan("SUSPECTS "),
  "incident.decided": ({ bold }) => bold("DECIDED  "),
  "plan.reviewed": ({ cyan }) => cyan("GATE     "),
  "plan.executed": ({ bold }) => bold("EXECUTED "),
  "plan.not-executed": ({ yellow }) => yellow("NOT DONE "),
  "incident.held": ({ yellow }) => yellow("HELD     "),
  "incident.escalated": ({ red }) => red("ESCALATED"),
  "incident.verified": ({ red }) => red("VERIFIED "),
  "incident.closed": ({ green }) => green("CLOSED   "),
  "postmortem.written": ({ green }) => green("WRITTEN  "),
  "notice.undelivered": ({ dim }) => dim("NOTICE   "),
  "notice.suppressed": ({ dim }) => dim("NOTICE   "),
  "source.down": ({ red }) => red("SOURCE   "),
  "source.up": ({ green }) => green("SOURCE   "),
  "source.partial": ({ yellow }) => yellow("SOURCE   "),
  "source.whole": ({ green }) => green("SOURCE   "),
  "source.absent": ({ yellow }) => yellow("SOURCE   "),
  "tick.failed": ({ red }) => red("FAILED   "),
};

const LATE = ({ dim }: Paints): string => dim("SLOW     ");

/** Where the text of an event begins: after the seconds and the heading. */
const TEXT_AT = 22;

/**
 * One event of the watch as a person follows it live, broken to the terminal's width; null: not worth a line. `label`: which
 * of several open incidents it is about; "": there is one alone.
 */
export function storyLine(
  line: WatchLine,
  onset: number | null,
  paint: Paints,
  columns: number,
  label = "",
): string | null {
  // That one part of the work takes long is no trouble: the watch goes on beside it.
  const heading = line.event === "tick.failed" && isLate(line) ? LATE : HEADINGS[line.event];
  if (heading === undefined) return null;
  const seconds = onset === null ? null : (Date.parse(line.at) - onset) / 1000;
  const since = seconds === null ? "" : `${seconds < 0 ? "" : "+"}${seconds.toFixed(1)} s`;
  const [first = "", ...rest] = wrap(label === "" ? line.text : `[${label}] ${line.text}`, columns - TEXT_AT, 0);
  const further = rest.map((text) => `\n${" ".repeat(TEXT_AT)}${text}`);
  return `  ${since.padStart(8)}  ${heading(paint)} ${first}${further.join("")}`;
}

/** What is waited for, below the event that it follows. */
export function waitLine(text: string, { dim }: Paints, columns: number): string {
  const [first = "", ...rest] = wrap(text, columns - TEXT_AT, 0);
  const further = rest.map((more) => `\n${" ".repeat(TEXT_AT)}${more}`);
  return dim(`${" ".repeat(12)}${"WAITS".padEnd(TEXT_AT - 12)}${first}${further.join("")}`);
}

/** Seconds from onset to each step, and which configured duration bounds it, the demo's beside the seed's. */
export function table(result: DemoResult, durations: Durations): readonly string[] {
  const moments = momentsOf(result);
  const seconds = (at: number | null) => (at === null ? "–" : ((at - result.onset) / 1000).toFixed(1));
  const bound = (pick: (durations: Durations) => number) => [
    durationText(pick(durations)),
    durationText(pick(SEED_DURATIONS)),
  ];
  const rows: readonly (readonly string[])[] = [
    ["", "seconds from onset", "bounded by", durations === DEMO_DURATIONS ? "demo" : "this run", "--real-time"],
    ["detected", seconds(moments.detectedAt), "step of the watch", ...bound(({ stepMs }) => stepMs)],
    ["decided", seconds(moments.decidedAt), "evidence", "–", "–"],
    [
      "executed",
      seconds(moments.executedAt),
      "policy's duration (errors)",
      ...bound(({ autoErrorRateMs }) => autoErrorRateMs),
    ],
    ["", "", "policy's duration (latency)", ...bound(({ autoLatencyMs }) => autoLatencyMs)],
    [
      "recovered",
      seconds(moments.recoveredAt),
      "verification's timeout",
      ...bound(({ verifyTimeoutMs }) => verifyTimeoutMs),
    ],
    ["postmortem", seconds(moments.postmortemAt), "", "", ""],
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   ")}`.trimEnd());
}

/** What a demo that went well came to, in a sentence. `quiet`: nothing was to be done. */
export function successWords(results: readonly DemoResult[], quiet: boolean): string {
  const [first, ...others] = results;
  if (quiet)
    return first?.incident == null
      ? "Nothing was wrong, and nothing was done."
      : "No change was the culprit, and nothing was done.";
  if (others.length === 0) return "Recovered. One write, on the culprit's object, and visitors are served as before.";
  const incidents = new Set(results.map(({ incident }) => incident?.id)).size;
  return incidents === 1
    ? `Recovered: one incident, one write on each of its ${results.length} culprits, and visitors are served as before.`
    : `Recovered: ${incidents} incidents apart, one write for each, on its own culprit, and visitors are served as before.`;
}
