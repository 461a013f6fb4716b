import type { TruthFile } from "./bundle-schema.ts";
import type { Episode } from "./episode.ts";

/** One replayed bundle beside its truth. */
export interface Scored {
  readonly id: string;
  readonly truth: TruthFile;
  readonly episodes: readonly Episode[];
}

/** One hypothesis of the episode that counts: what was claimed of it, and whether it is so. */
export interface Claim {
  readonly probability: number;
  readonly isTrue: boolean;
}

export interface Judged {
  readonly id: string;
  readonly truth: TruthFile;
  /** The acting episode that is right in every way, or null; of several incidents the one decided last, null where one is missed. */
  readonly found: Episode | null;
  readonly falseActions: number;
  /** Whether the true culprit is named first; null where nothing is faulty. */
  readonly culpritFirst: boolean | null;
  readonly claims: readonly Claim[];
  /** Seconds from true onset to the decision and to the execution of what was found, of several incidents the longest; null where there is none. */
  readonly decisionSeconds: number | null;
  readonly executionSeconds: number | null;
  /** Why the bundle counts against us, in one line; null where it does not. */
  readonly because: string | null;
}

/** Judges one bundle as the incident bundle's format defines. */
export function judge({ id, truth, episodes }: Scored): Judged {
  const acting = episodes.filter((episode) => acts(episode, truth));
  const first = acting[0];
  const wrong = first === undefined || !truth.faulty ? null : whyWrong(first, truth);
  const right = truth.faulty ? rightOnes(truth, acting) : [];
  const isFound = right.length > 0 && right.every(({ episode }) => episode !== undefined);
  const falseActions = acting.length - new Set(right.flatMap(({ episode }) => episode ?? [])).size;
  const slowest = (of: (episode: Episode) => string | null): number | null => {
    const seconds = right.map(({ part, episode }) => secondsTo(part, episode && of(episode)));
    return isFound && seconds.every((one) => one !== null) ? Math.max(...seconds) : null;
  };
  const found = isFound ? (right.at(-1)?.episode ?? null) : null;
  return {
    id,
    truth,
    found,
    falseActions,
    culpritFirst: truth.faulty ? namesCulprit(truth, episodes) : null,
    claims: claims(truth, episodes),
    decisionSeconds: slowest(({ decided_at }) => decided_at),
    executionSeconds: slowest(({ executed_at }) => executed_at),
    because:
      truth.incidents !== undefined && !isFound
        ? missedApart(truth.incidents, right)
        : because({ truth, episodes, acting, found, wrong, falseActions }),
  };
}

/** What is to be found: of the whole bundle, or of one of the incidents in it that are decided apart. */
type Part = Pick<TruthFile, "culprit" | "targets" | "onset">;

/**
 * Each incident with the acting episode that is right about it. A bundle with one has its first acting episode judged. Of
 * several, each may have an episode of its own, or the first acting episode takes them all back together.
 */
function rightOnes(
  truth: TruthFile,
  acting: readonly Episode[],
): readonly { readonly part: Part; readonly episode: Episode | undefined }[] {
  const first = acting[0];
  const whole = first !== undefined && whyWrong(first, truth) === null ? first : undefined;
  if (truth.incidents === undefined || whole !== undefined) return [{ part: truth, episode: whole }];
  return truth.incidents.map((part) => ({
    part,
    episode: acting.find((one) => whyWrong(one, { ...truth, incidents: undefined, ...part }) === null),
  }));
}

function missedApart(incidents: readonly Part[], right: ReturnType<typeof rightOnes>): string {
  const missed = incidents.filter(({ culprit }) =>
    right.every(({ part, episode }) => part.culprit !== culprit || episode === undefined),
  );
  return `missed ${missed.length} of ${incidents.length} incidents: right was the rollback of each of ${missed.map(({ culprit }) => culprit).join(", ")}`;
}

/** The episode whose probabilities are scored: the first that acts, else the first. */
export function countedEpisode(truth: TruthFile, episodes: readonly Episode[]): Episode | undefined {
  return episodes.find((one) => acts(one, truth)) ?? episodes[0];
}

/**
 * A recommendation acts where truth accepts it. Where nothing is faulty there is nothing to find, so that an action which
 * truth accepts there counts neither way: it is not false.
 */
function acts({ action }: Episode, { faulty, acceptable }: TruthFile): boolean {
  const accepted = acceptable.includes(action);
  if (action === "rollback" || action === "feature_flag_disable") return faulty || !accepted;
  return action === "hotfix_recommendation" && faulty && accepted;
}

/** What of an acting episode is not as the truth has it; null: it is right. */
function whyWrong(episode: Episode, truth: TruthFile): string | null {
  const early = truth.onset === null ? 0 : (truth.onset - Date.parse(episode.decided_at ?? episode.detected_at)) / 1000;
  if (early > 0) return `decided ${early} s before anything was wrong`;
  if (!truth.acceptable.includes(episode.action)) return `${episode.action} is not acceptable here`;
  const culprit = episode.culprit?.change_id ?? null;
  if (culprit !== truth.culprit && !culpritsOf(truth).has(culprit ?? ""))
    return `named ${culprit ?? "nothing"}${sure(episode.culprit?.probability)}`;
  const targets = new Set(episode.targets);
  const right = new Set(truth.targets);
  const [missing, extra] = [
    truth.targets.filter((one) => !targets.has(one)),
    [...targets].filter((one) => !right.has(one)),
  ];
  if (missing.length === 0 && extra.length === 0) return null;
  return [
    ...(missing.length === 0 ? [] : [`left out ${missing.join(", ")}`]),
    ...(extra.length === 0
      ? []
      : [`${episode.action === "hotfix_recommendation" ? "named" : "rolled back"} ${extra.join(", ")} as well`]),
  ].join(" and ");
}

/** The changes of which an episode may name one as its culprit. */
const culpritsOf = ({ culprit, culprits = [], incidents = [] }: TruthFile): ReadonlySet<string> =>
  new Set([...(culprit === null ? [] : [culprit]), ...culprits, ...incidents.map((part) => part.culprit)]);

const sure = (probability: number | undefined) => (probability === undefined ? "" : ` with ${probability.toFixed(2)}`);

function because(told: {
  readonly truth: TruthFile;
  readonly episodes: readonly Episode[];
  readonly acting: readonly Episode[];
  readonly found: Episode | null;
  readonly wrong: string | null;
  readonly falseActions: number;
}): string | null {
  const { truth, episodes, acting, found, wrong, falseActions } = told;
  const first = acting[0];
  const right = `right was ${truth.action}${truth.culprit === null ? "" : ` of ${truth.culprit}`}`;
  if (first === undefined) return truth.faulty ? `missed: ${whyMissed(truth, episodes)}; ${right}` : null;
  const more = found === null ? acting.length - 1 : falseActions;
  const repeated = more <= 0 ? "" : `${more} more acting ${more === 1 ? "episode" : "episodes"}`;
  if (found !== null) return repeated === "" ? null : `found, then ${repeated}`;
  const then = repeated === "" ? "" : `, then ${repeated}`;
  const did = `${first.action} of ${first.culprit?.change_id ?? "nothing"}${sure(first.culprit?.probability)}`;
  const targets = first.targets.length > 1 ? ` (targets ${first.targets.join(", ")})` : "";
  if (!truth.faulty) return `false action: ${did}${targets}${then}; ${right}`;
  return `wrong: ${did}${targets}: ${wrong}${then}; ${right}${truth.targets.length > 1 ? ` (targets ${truth.targets.join(", ")})` : ""}`;
}

function whyMissed(truth: TruthFile, episodes: readonly Episode[]): string {
  const last = episodes.at(-1);
  if (last === undefined) return "raised no incident";
  const top = last.candidates[0];
  const named = top === undefined ? "no candidate" : `${top.change_id} at ${top.probability.toFixed(2)}`;
  const place = last.candidates.findIndex(({ change_id }) => change_id === truth.culprit);
  const culprit = place > 0 ? `, the culprit at ${last.candidates[place]?.probability.toFixed(2)}` : "";
  return `ended in ${last.action} (first ${named}${culprit}, no change at ${last.no_change_probability.toFixed(2)})`;
}

/** Whether the first acting episode, else the first that names a candidate, puts the true culprit first. */
function namesCulprit(truth: TruthFile, episodes: readonly Episode[]): boolean {
  const episode = episodes.find((one) => acts(one, truth)) ?? episodes.find(({ candidates }) => candidates.length > 0);
  const named = episode?.culprit?.change_id ?? episode?.candidates[0]?.change_id;
  return named !== undefined && culpritsOf(truth).has(named);
}

/**
 * Every candidate, and "no change", as claimed by the episode that counts. Silence is the claim that no change is to
 * blame, with certainty; it is not free where one is. Of several incidents the claims are about the one whose
 * culprit is named, and of several changes that are one culprit together about the one that is named.
 */
function claims(truth: TruthFile, episodes: readonly Episode[]): readonly Claim[] {
  const episode = countedEpisode(truth, episodes);
  const named = episode?.culprit?.change_id;
  const about = named !== undefined && culpritsOf(truth).has(named) ? named : truth.culprit;
  const none = { probability: episode?.no_change_probability ?? 1, isTrue: truth.culprit === null };
  const candidates = (episode?.candidates ?? []).map(({ change_id, probability }) => ({
    probability,
    isTrue: change_id === about,
  }));
  return [...candidates, none];
}

function secondsTo({ onset }: Part, at: string | null | undefined): number | null {
  return at === null || at === undefined || onset === null ? null : (Date.parse(at) - onset) / 1000;
}
