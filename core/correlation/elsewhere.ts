import { logSumExp } from "../detection/robust.ts";
import type { Elsewhere } from "../model/assessment.ts";
import type { Candidate, Compared } from "../model/candidate.ts";
import type { Onset } from "../model/finding.ts";
import { isInfrastructure } from "./infrastructure.ts";
import { ELSEWHERE } from "./origin.ts";
import { FROM_CHANGES, ORDINARY_CHANGES } from "./reasons.ts";
import { type Course, timingEvidence } from "./timing.ts";

/** The reason that names a change of a service which nobody measures and nothing known joins to what is degraded. */
export const ELSEWHERE_REASON = "elsewhere";

/** What no known change explains starts outside one time in three; and seven outages in ten follow a change. */
const MOST_OF_NO_CHANGE = ELSEWHERE.external * FROM_CHANGES;

/**
 * The ranking with changes of services that nobody measures and that nothing known joins to what is degraded. Such a
 * service may be called all the same: as seldom as call graphs are sparse (`chance`, for one service to call another). They
 * share a bounded part of "no change", which their number cannot raise, and take nothing from any change that something
 * joins: what is decided without them is decided with a hundred of them. Pure.
 */
export function withElsewhere(
  ranking: Compared,
  elsewhere: Elsewhere | undefined,
  onset: Onset,
  options: { readonly stepMs: number; readonly windowMs: number; readonly at: number; readonly course: Course },
): Compared {
  const changes = elsewhere?.changes ?? [];
  if (elsewhere === undefined || changes.length === 0) return ranking;
  const each = changes.map((change) => {
    const timing = timingEvidence(change, onset, options);
    return { change, timing, logOdds: Math.log(elsewhere.chance * (FROM_CHANGES / ORDINARY_CHANGES)) + timing };
  });
  const all = logSumExp(each.map(({ logOdds }) => logOdds));
  const taken = ranking.noChangeProbability * MOST_OF_NO_CHANGE * (1 / (1 + Math.exp(-all)));
  const chance = `${(100 * elsewhere.chance).toPrecision(2)} %`;
  const more = each.map(
    ({ change, timing, logOdds }): Candidate => ({
      changeId: change.id,
      service: change.service,
      probability: taken * Math.exp(logOdds - all),
      reasons: [
        {
          name: ELSEWHERE_REASON,
          logOdds: Math.log(elsewhere.chance),
          sentence: `${change.service} is not measured, and no known call joins it to what is degraded: ${chance} of services call such a one`,
        },
        {
          name: "timing",
          logOdds: timing,
          sentence: `judged by its start time, ${new Date(change.startedAt).toISOString()}`,
        },
      ],
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

/**
 * The probability that no change is at fault which anything joins to what is degraded: "no change", the changes elsewhere
 * and those of infrastructure together. Decisions compare with this, so that the latter move none. 0 to 1.
 */
export function noJoinedChange({ candidates, noChangeProbability }: Compared): number {
  const elsewhere = candidates.filter(
    (one) => isInfrastructure(one) || one.reasons.some(({ name }) => name === ELSEWHERE_REASON),
  );
  return elsewhere.reduce((sum, { probability }) => sum + probability, noChangeProbability);
}
