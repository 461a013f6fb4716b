import type { Incident } from "../../core/model/incident.ts";

/** What the watch tells whoever looks on: the terminal, a JSON line, the demo. `incident` is its state after the event. */
export interface WatchEvent {
  readonly at: number;
  readonly event:
    | "watch.started"
    | "source.down"
    | "source.up"
    | "incident.detected"
    | "incident.assessed"
    | "incident.decided"
    | "incident.held"
    | "plan.reviewed"
    | "plan.executed"
    | "plan.not-executed"
    | "incident.escalated"
    | "incident.closed"
    | "postmortem.written"
    | "notice.sent"
    | "notice.undelivered"
    | "tick.failed";
  /** One line for a person. */
  readonly text: string;
  readonly incident: Incident | null;
}

export type Emit = (event: WatchEvent) => void;
