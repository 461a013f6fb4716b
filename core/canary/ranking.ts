import type { Candidate, Compared } from "../model/candidate.ts";
import { isFailed, type LiveJudgement } from "./live.ts";

/** The reason that stands with a candidate whose canary failed. */
export const CANARY_REASON = "canary";

/**
 * The ranking with what the judge of canaries knows: a version that was found worse beside the stable one, both serving
 * at once, is to blame with at least the confidence of that judgement, whatever the service as a whole shows. The other
 * hypotheses share what is left as they shared before.
 */
export function withFailedCanaries(ranking: Compared, live: readonly LiveJudgement[]): Compared {
  return live.filter(isFailed).reduce(raised, ranking);
}

function raised(ranking: Compared, { change, stable, version, judgement }: LiveJudgement): Compared {
  const known = ranking.candidates.find(({ changeId }) => changeId === change.id);
  if (known === undefined) return ranking;
  const probability = Math.max(known.probability, judgement.confidence);
  const rest = known.probability < 1 ? (1 - probability) / (1 - known.probability) : 0;
  const worse = judgement.metrics.filter((one) => one.verdict === "worse").map((one) => `${one.metric} ${one.because}`);
  const reason = {
    name: CANARY_REASON,
    logOdds: logit(probability) - logit(known.probability),
    sentence: `the canary ${version} failed beside ${stable}: ${worse.join("; ")}`,
  };
  const candidates = ranking.candidates
    .map((one): Candidate => {
      if (one !== known) return { ...one, probability: one.probability * rest };
      return { ...one, probability, reasons: [...one.reasons, reason] };
    })
    .sort((a, b) => b.probability - a.probability || (a.changeId < b.changeId ? -1 : 1));
  const others = ranking.rootCauses.filter(({ service }) => service !== change.service);
  return {
    ...ranking,
    candidates,
    noChangeProbability: ranking.noChangeProbability * rest,
    rootCauses: [{ service: change.service, score: probability }, ...others],
  };
}

/** Log odds of a probability, kept finite at its ends. */
function logit(probability: number): number {
  const inside = Math.min(1 - 1e-12, Math.max(1e-12, probability));
  return Math.log(inside / (1 - inside));
}
