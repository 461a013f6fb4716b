import { stageWords } from "../../core/guardrails/incident-text.ts";
import { activeConditions } from "../../core/guardrails/pending-conditions.ts";
import type { ConditionState } from "../../core/model/finding.ts";
import type { Incident } from "../../core/model/incident.ts";
import { durationText, rfc3339 } from "../../core/model/time.ts";
import { escapeControls, name } from "../../core/model/untrusted-text.ts";
import type { WatchEvent } from "../watch/events.ts";
import { createSourcesDown } from "../watch/sources-down.ts";

/** Erases the line that the cursor is in, and goes to its beginning (ECMA-48, EL 2). */
const ERASE = "\r\u001b[2K";
const BAR = 12;

/** A line at the foot of a terminal that says when the last evaluation was and what is waited for. */
export interface Heartbeat {
  /** An evaluation is over; `open`: the incidents that are open after it. */
  evaluated(at: number, open: readonly Incident[]): void;
  /** Prints whole lines of an event above it. */
  above(event: Pick<WatchEvent, "event" | "about" | "at">, print: () => void): void;
  /** Erases it: nothing is watched any more. */
  end(): void;
}

/**
 * Keeps `heartbeatText` as the last line of a terminal, written again after each evaluation: without one its time does not move, so
 * that a watch that hangs shows. `columns`: how wide the terminal is at the moment.
 */
export function createHeartbeat(out: (text: string) => void, columns: () => number): Heartbeat {
  let shown = "";
  const sources = createSourcesDown();
  const draw = () => {
    if (shown !== "") out(`${ERASE}${shown}`);
  };
  return {
    evaluated(at, open) {
      shown = escapeControls(
        heartbeatText(
          at,
          open,
          sources.down().map(({ source }) => source),
        ),
      ).slice(0, Math.max(0, columns() - 1));
      draw();
    },
    above(event, print) {
      sources.note(event);
      if (shown !== "") out(ERASE);
      print();
      draw();
    },
    end() {
      if (shown !== "") out(ERASE);
      shown = "";
    },
  };
}

/**
 * What a watch waits for after an evaluation at `at` (Unix ms), in one line: no incident; the condition that fires next, with a bar
 * of how long it has held of how long it has to; or where the incident is. Of several incidents the first one in which a condition is
 * pending, and how many others are open. `down`: sources that do not answer, of which nothing is known (S9). Pure.
 */
export function heartbeatText(at: number, open: readonly Incident[], down: readonly string[] = []): string {
  const unknown = down.length === 0 ? "" : `${down.map(name).join(", ")} ${down.length === 1 ? "is" : "are"} DOWN; `;
  return `${rfc3339(at).slice(11, 19)}Z ${unknown}${openText(at, open)}`;
}

function openText(at: number, open: readonly Incident[]): string {
  if (open.length === 0) return "evaluated, no incident is open";
  const pending = open.flatMap((incident) => activeConditions(incident).filter(isTimed));
  const others = open.length - 1;
  const more = others === 0 ? "" : ` (${others} more ${others === 1 ? "incident is" : "incidents are"} open)`;
  const next = pending.toSorted((a, b) => a.firesAt - b.firesAt)[0];
  if (next !== undefined) return `${pendingText(next, at)}${more}`;
  const [first] = open;
  return first === undefined ? "" : `${name(first.service)}: ${stageWords(first, at)}${more}`;
}

type Timed = ConditionState & { readonly since: number; readonly firesAt: number };

const isTimed = (one: ConditionState): one is Timed =>
  one.state === "pending" && one.since !== null && one.firesAt !== null && one.firesAt > one.since;

/** "[████████    ] 2m of 3m until auto_rollback fires: error_rate of payments" */
function pendingText({ since, firesAt, policy, metric, service }: Timed, at: number): string {
  const whole = firesAt - since;
  const held = Math.min(whole, Math.max(0, at - since));
  const full = Math.round((held / whole) * BAR);
  const bar = `${"█".repeat(full)}${" ".repeat(BAR - full)}`;
  return `[${bar}] ${durationText(held)} of ${durationText(whole)} until ${name(policy)} fires: ${name(metric)} of ${name(service)}`;
}
