import type { Change } from "../../core/model/change.ts";
import { type Incident, isRecoveryConfirmed } from "../../core/model/incident.ts";

/** The moments that a chart and the timing table name. `letter` stands in the plain-text chart. */
export interface Mark {
  readonly letter: string;
  readonly name: string;
  readonly at: number;
}

/** The changes that the decision blames or takes back, as the record holds them; the blamed one first. */
export function blamed(incident: Incident): readonly Change[] {
  const { culprit = null, changeIds = [] } = incident.decision ?? {};
  const ids = [...new Set([...(culprit === null ? [] : [culprit.changeId]), ...changeIds])];
  return ids.flatMap((id) => incident.changes.find((change) => change.id === id) ?? []);
}

/** Change, onset, detection, action and recovery, in the order of time; only those that really happened. */
export function marks(incident: Incident): readonly Mark[] {
  const { onset, detectedAt, gate, recovery } = incident;
  const change = blamed(incident)[0];
  const all: readonly (Mark | null)[] = [
    change === undefined ? null : { letter: "C", name: "change", at: change.startedAt },
    onset === null ? null : { letter: "O", name: "onset", at: onset.at },
    { letter: "D", name: "detected", at: detectedAt },
    gate === null || gate.executedAt === null ? null : { letter: "A", name: "action", at: gate.executedAt },
    recovery !== null && recovery.at !== null && isRecoveryConfirmed(incident)
      ? { letter: "R", name: "recovered", at: recovery.at }
      : null,
  ];
  return all.filter((mark) => mark !== null).sort((a, b) => a.at - b.at);
}
