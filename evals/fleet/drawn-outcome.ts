import type { Episode } from "../replay/episode.ts";
import type { ApartCase } from "./apart-world.ts";
import { decisionText } from "./decisions.ts";
import type { DrawnCase } from "./drawn-case.ts";

/** What was done in one drawn case: "act" is what was executed, "question" what was decided and waits for a person. */
export interface DrawnOutcome {
  readonly task: DrawnCase;
  readonly name: string;
  readonly did: "right act" | "false act" | "question" | "nothing";
  readonly incidents: number;
  /** Pages for incidents that people were first paged for once what the case is about had begun. */
  readonly pages: number;
  /** Those before it: of deploys whose pods start slowly, and of chance. */
  readonly earlierPages: number;
  /** The first decision that acts, or asks, as a line. */
  readonly decision: string;
}

/** A false act is an executed one that truth does not call for; an act that undoes more than the culprits is one too. */
export function outcomeOf(
  task: DrawnCase,
  { name, truth, moment }: Pick<ApartCase, "name" | "truth" | "moment">,
  episodes: readonly Episode[],
  pagedAt: readonly number[],
): DrawnOutcome {
  const pages = pagedAt.filter((at) => at >= moment).length;
  const proposed = episodes.filter(({ action }) => action === "rollback" || action === "feature_flag_disable");
  const executed = proposed.filter(({ executed_at }) => executed_at !== null);
  const right = truth.targets.toSorted().join();
  const wrong = executed.find(({ targets }) => !truth.faulty || targets.toSorted().join() !== right);
  const asked = proposed[0] ?? episodes.find(({ action }) => action !== "no_action");
  const did =
    wrong !== undefined
      ? "false act"
      : executed.length > 0
        ? "right act"
        : asked !== undefined
          ? "question"
          : "nothing";
  const shown = wrong ?? executed[0] ?? asked ?? episodes[0];
  return {
    task,
    name,
    did,
    incidents: episodes.length,
    pages,
    earlierPages: pagedAt.length - pages,
    decision: decisionText(shown),
  };
}
