import type { Incident } from "../../core/model/incident.ts";
import { substance } from "./incident-state.ts";

/** A change of an incident that may be made of any later state of it as well. */
export type Change = (incident: Incident) => Incident;

/** An incident taken for a step: how it stood, and the only right to save what the step made of it. */
export interface Lease {
  readonly incident: Incident;
  /** Saves it together with what changed meanwhile. Throws where the step was given up, or the incident closed. */
  save(next: Incident): Promise<void>;
  /** The step is over. */
  release(): void;
}

/**
 * The open incidents, as the ledger has them. All that is written of one incident goes through one queue, in the order in
 * which it was asked for, and each change is made of what the one before left: nothing is lost, whatever ends at once, and
 * nothing that is closed is opened again by what comes late.
 */
export interface Book {
  readonly incidents: ReadonlyMap<string, Incident>;
  /** Takes up an incident that the ledger has already. */
  restore(incident: Incident): void;
  /** Writes a new incident. */
  begin(incident: Incident): Promise<void>;
  /** Changes an incident, whatever is on its way for it; nothing where it is not open. */
  amend(id: string, change: Change): Promise<void>;
  /** Takes an incident for a step; an earlier step that has it still can save no more. undefined: it is not open. */
  take(id: string): Promise<Lease | undefined>;
}

export interface BookParts {
  readonly save: (incident: Incident) => Promise<void>;
  /** Called with each state of an incident, before it is written. */
  readonly noted: (incident: Incident) => void;
  readonly closed: (incident: Incident) => void;
}

/** The step that has an incident, and what changed the incident since: said once more of all that the step saves. */
interface Holder {
  readonly amended: Change[];
}

export function createBook({ save, noted, closed }: BookParts): Book {
  const incidents = new Map<string, Incident>();
  const holders = new Map<string, Holder>();
  const ends = new Map<string, Promise<unknown>>();

  /** Runs work on one incident after all work that was asked for before; what fails keeps no other from its turn. */
  function inTurn<T>(id: string, work: () => T | Promise<T>): Promise<T> {
    const turn = (ends.get(id) ?? Promise.resolve()).then(work);
    const end = turn.then(
      () => {},
      () => {},
    );
    ends.set(id, end);
    void end.then(() => {
      if (ends.get(id) === end) ends.delete(id);
    });
    return turn;
  }

  async function write(next: Incident): Promise<void> {
    noted(next);
    const known = incidents.get(next.id);
    if (known === undefined || substance(known) !== substance(next)) await save(next);
    if (next.stage !== "closed") {
      incidents.set(next.id, next);
      return;
    }
    incidents.delete(next.id);
    holders.delete(next.id);
    closed(next);
  }

  return {
    incidents,
    restore: (incident) => void incidents.set(incident.id, incident),
    begin: (incident) => inTurn(incident.id, () => write(incident)),
    amend: (id, change) =>
      inTurn(id, async () => {
        const incident = incidents.get(id);
        if (incident === undefined) return;
        const next = change(incident);
        if (next !== incident) await write(next);
        holders.get(id)?.amended.push(change);
      }),
    take: (id) =>
      inTurn(id, (): Lease | undefined => {
        const incident = incidents.get(id);
        if (incident === undefined) return undefined;
        const holder: Holder = { amended: [] };
        holders.set(id, holder);
        return {
          incident,
          save: (given) =>
            inTurn(id, () => {
              if (holders.get(id) !== holder) throw new Error("this step was given up, and begun anew since");
              return write(holder.amended.reduce((one, change) => change(one), given));
            }),
          release() {
            if (holders.get(id) === holder) holders.delete(id);
          },
        };
      }),
  };
}
