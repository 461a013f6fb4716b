import type { Incident } from "../../core/model/incident.ts";

/** What the watch tells whoever looks on: the terminal, a JSON line, the demo. `incident` is its state after the event. */
export interface WatchEvent {
  readonly at: number;
  readonly event:
    | "watch.started"
    | "watch.alive"
    | "watch.slow"
    | "source.down"
    | "source.up"
    | "source.partial"
    | "source.whole"
    | "source.absent"
    | "canary.judged"
    | "incident.damaged"
    | "incident.detected"
    | "incident.assessed"
    | "incident.decided"
    | "incident.held"
    | "plan.reviewed"
    | "plan.executed"
    | "plan.not-executed"
    | "incident.escalated"
    | "incident.verified"
    | "incident.closed"
    | "postmortem.written"
    | "notice.sent"
    | "notice.undelivered"
    | "notice.suppressed"
    | "tick.failed";
  /** One line for a person. */
  readonly text: string;
  readonly incident: Incident | null;
  /** Which source it is about, and which parts of it are unknown or known again; with `source.*`. */
  readonly about?: { readonly source: string; readonly what: readonly string[] };
  /** How the watch itself does; with `watch.alive` and `watch.slow`. */
  readonly status?: WatchStatus;
}

/** How a watch keeps up: looks since it started, how long the last took, how late it began, and the configured step. */
export interface WatchStatus {
  readonly looks: number;
  readonly lastMs: number;
  readonly lagMs: number;
  readonly stepMs: number;
}

export type Emit = (event: WatchEvent) => void;
