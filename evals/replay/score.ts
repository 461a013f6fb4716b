import type { TruthFile } from "./bundle-schema.ts";
import type { Episode } from "./episode.ts";

export interface Scored {
  readonly id: string;
  readonly truth: TruthFile;
  readonly episodes: readonly Episode[];
}

export interface Scores {
  readonly bundles: number;
  readonly faulty: number;
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly culpritTop1: number | null;
  readonly brier: number | null;
  /** Seconds from true onset; medians over found bundles. */
  readonly decisionDelaySeconds: number | null;
  readonly executionDelaySeconds: number | null;
  readonly wrong: readonly { readonly id: string; readonly because: string }[];
}

/** Scores replayed bundles as the incident bundle's format defines: TP, FP, precision, recall, culprit, Brier, delays. */
export function score(results: readonly Scored[]): Scores {
  const faulty = results.filter(({ truth }) => truth.faulty);
  const judged = results.map(judge);
  const truePositives = judged.filter(({ found }) => found !== null).length;
  const falsePositives = judged.reduce((sum, { false: count }) => sum + count, 0);
  const delays = (at: (episode: Episode) => string | null) =>
    median(
      judged.flatMap(({ found, onset }) => {
        const time = found === null ? null : at(found);
        return time === null || onset === null ? [] : [(Date.parse(time) - onset) / 1000];
      }),
    );
  return {
    bundles: results.length,
    faulty: faulty.length,
    truePositives,
    falsePositives,
    precision: ratio(truePositives, truePositives + falsePositives),
    recall: ratio(truePositives, faulty.length),
    culpritTop1: ratio(faulty.filter(namesCulprit).length, faulty.length),
    brier: mean(results.flatMap(squaredErrors)),
    decisionDelaySeconds: delays(({ decided_at }) => decided_at),
    executionDelaySeconds: delays(({ executed_at }) => executed_at),
    wrong: judged.flatMap(({ id, because }) => (because === null ? [] : [{ id, because }])),
  };
}

/** An acceptable recommendation counts as a find where there is something to find, and as no false action elsewhere. */
function acts({ action }: Episode, { faulty, acceptable }: TruthFile): boolean {
  if (action === "rollback" || action === "feature_flag_disable") return true;
  return action === "hotfix_recommendation" && faulty && acceptable.includes(action);
}

interface Judged {
  readonly id: string;
  readonly onset: number | null;
  readonly found: Episode | null;
  readonly false: number;
  readonly because: string | null;
}

function judge({ id, truth, episodes }: Scored): Judged {
  const acting = episodes.filter((episode) => acts(episode, truth));
  const first = acting[0];
  const right = first !== undefined && truth.faulty && isRight(first, truth);
  const found = right && first !== undefined ? first : null;
  const others = acting.length - (found === null ? 0 : 1);
  const because =
    found !== null && others === 0
      ? null
      : first === undefined
        ? truth.faulty
          ? `stayed silent; ${truth.action} of ${truth.culprit ?? "nothing"} was right`
          : null
        : `${first.action} of ${first.culprit?.change_id ?? "nothing"} (targets ${first.targets.join(", ")}); right was ${truth.action} of ${truth.culprit ?? "nothing"} (targets ${truth.targets.join(", ")})`;
  return { id, onset: truth.onset, found, false: others, because };
}

function isRight(episode: Episode, truth: TruthFile): boolean {
  const begun = truth.onset === null || Date.parse(episode.detected_at) >= truth.onset;
  const targets = new Set(episode.targets);
  const right = new Set(truth.targets);
  return (
    begun &&
    truth.acceptable.includes(episode.action) &&
    (episode.culprit?.change_id ?? null) === truth.culprit &&
    targets.size === right.size &&
    truth.targets.every((target) => targets.has(target))
  );
}

/** Whether the first acting episode, else the first that names a candidate, puts the true culprit first. */
function namesCulprit({ truth, episodes }: Scored): boolean {
  const episode = episodes.find((one) => acts(one, truth)) ?? episodes.find(({ candidates }) => candidates.length > 0);
  const named = episode?.culprit?.change_id ?? episode?.candidates[0]?.change_id;
  return named !== undefined && named === truth.culprit;
}

/**
 * One squared error for each hypothesis of the episode that counts: every candidate, and "no change". Silence is the
 * claim that no change is to blame, with certainty; it is not free where one is.
 */
function squaredErrors({ truth, episodes }: Scored): readonly number[] {
  const episode = episodes.find((one) => acts(one, truth)) ?? episodes[0];
  if (episode === undefined) return [truth.culprit === null ? 0 : 1];
  const errors = episode.candidates.map(
    ({ change_id, probability }) => (probability - (change_id === truth.culprit ? 1 : 0)) ** 2,
  );
  return [...errors, (episode.no_change_probability - (truth.culprit === null ? 1 : 0)) ** 2];
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}
