import { logSumExp } from "../detection/robust.ts";
import type { Candidate, Compared } from "../model/candidate.ts";
import type { InfrastructureChange } from "../model/change.ts";
import type { Onset } from "../model/finding.ts";
import { rfc3339 } from "../model/time.ts";
import { ORDINARY_CHANGES } from "./reasons.ts";
import { type Course, timingEvidence } from "./timing.ts";

/** The reason that names a change of the ground that services run on. */
export const INFRASTRUCTURE_REASON = "infrastructure";

/**
 * Of Google's outages of 2010 to 2017 that no push of binaries or configuration triggered (32 of 100), ten were: by a
 * change of a service provider (5) or by the management of capacity (5).
 * @see Beyer et al. (2018), The Site Reliability Workbook, appendix C, table C-1
 */
const SHARE = 10 / 32;

/**
 * The ranking with what was done to the ground that services run on (nodes drained, a cluster upgraded, a pool resized).
 * None of it is a change of a service: it is a part of "no change", as large as its time makes it, and takes nothing
 * from any change, so that what is decided without it is decided with it, and nothing of it is ever undone. Pure.
 */
export function withInfrastructure(
  ranking: Compared,
  infrastructure: readonly InfrastructureChange[],
  onset: Onset,
  options: { readonly stepMs: number; readonly windowMs: number; readonly at: number; readonly course: Course },
): Compared {
  const earliest = onset.earliest - options.windowMs;
  const within = infrastructure.filter(
    ({ startedAt, finishedAt }) => startedAt <= options.at && (finishedAt ?? options.at) >= earliest,
  );
  if (within.length === 0) return ranking;
  const each = within.map((change) => {
    const prior = Math.log(SHARE / (1 - SHARE) / ORDINARY_CHANGES);
    return { change, logOdds: prior + timingEvidence(change, onset, options) };
  });
  const all = logSumExp(each.map(({ logOdds }) => logOdds));
  const taken = ranking.noChangeProbability / (1 + Math.exp(-all));
  const more = each.map(
    ({ change, logOdds }): Candidate => ({
      changeId: change.id,
      service: change.place,
      probability: taken * Math.exp(logOdds - all),
      reasons: [{ name: INFRASTRUCTURE_REASON, logOdds, sentence: infrastructureWords(change) }],
    }),
  );
  return {
    ...ranking,
    noChangeProbability: ranking.noChangeProbability - taken,
    candidates: [...ranking.candidates, ...more].sort(
      (a, b) => b.probability - a.probability || (a.changeId < b.changeId ? -1 : 1),
    ),
  };
}

export const isInfrastructure = ({ reasons }: Pick<Candidate, "reasons">): boolean =>
  reasons.some(({ name }) => name === INFRASTRUCTURE_REASON);

/** 'node worker-3: "cordoned and drained", since 2026-01-01T12:00:00Z, judged by its start time: no change of a service, …'. */
function infrastructureWords({ place, from, to, startedAt, message }: InfrastructureChange): string {
  const versions = from === "" ? to : `${from} → ${to}`;
  const what = message === undefined ? versions : `"${message}"`;
  return `${place}: ${what}, since ${rfc3339(startedAt)}, judged by its start time: no change of a service, and nothing to undo here`;
}
