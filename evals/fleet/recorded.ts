import { type Bundle, readBundle, readTruth } from "../replay/bundle.ts";
import type { TruthFile } from "../replay/bundle-schema.ts";

/** A recorded world and the right answer about it; null: nobody says what is right. */
export interface Recorded {
  readonly bundle: Bundle;
  readonly truth: TruthFile | null;
}

/** A bundle folder with its truth. Throws `bundle.invalid` or `bundle.unreadable`. */
export const readRecorded = (directory: string): Recorded => ({
  bundle: readBundle(directory),
  truth: readTruth(directory),
});

/** Every service, workload and external node that a recording speaks of, sorted. */
export function namesOf({ incident, series, changes, topology, logs, spans }: Bundle): readonly string[] {
  return [
    ...new Set([
      ...incident.services.map(({ name }) => name),
      ...series.map(({ service }) => service),
      ...changes.map(({ service }) => service),
      ...changes.flatMap(({ requires }) => Object.keys(requires ?? {})),
      ...(topology?.edges.flat() ?? []),
      ...(topology?.external ?? []),
      ...(topology?.details ?? []).flatMap(({ caller, callee }) => [caller, callee]),
      ...(topology?.reporting ?? []),
      ...logs.map(({ service }) => service),
      ...spans.flatMap(({ service, callee }) => (callee === undefined ? [service] : [service, callee])),
    ]),
  ].sort();
}
