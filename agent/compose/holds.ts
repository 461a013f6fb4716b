import { z } from "zod";
import type { Assessment } from "../../core/model/assessment.ts";
import type { Ledger } from "../../core/ports.ts";
import type { ChainResult } from "../chain/result.ts";
import { CHAIN_FINISHED } from "../watch/arguing.ts";

/** A model's doubt about taking back just these changes, as the record of the chain keeps it (`model.may_hold`). */
export interface Hold {
  readonly changeIds: readonly string[];
  readonly doubts: readonly string[];
}

/** Doubts by the changes that they are about. */
export type Holds = ReadonlyMap<string, readonly string[]>;

export const NO_HOLDS: Holds = new Map();

const Recorded = z.object({
  holds: z
    .object({ changeIds: z.array(z.string()), doubts: z.array(z.string()) })
    .nullable()
    .default(null),
});

const keyOf = (changeIds: readonly string[]): string => JSON.stringify(changeIds);

/** What a run of the chain leaves for the gate; null: the core's decision stands as it is. */
export function holdOf({ answers, settled }: Pick<ChainResult, "answers" | "settled">): Hold | null {
  const decision = answers.recommend_action?.decision;
  if (decision === undefined || settled === null) return null;
  return { changeIds: decision.changeIds, doubts: settled.holds };
}

/**
 * The doubts that hold, from the ledger, so that every process and every restart knows them: of each set of changes the
 * last run's, for incidents that are open. Nothing where the file does not let a model hold.
 */
export async function modelHolds(ledger: Pick<Ledger, "entries" | "incidents">, mayHold: boolean): Promise<Holds> {
  if (!mayHold) return NO_HOLDS;
  const holds = new Map<string, readonly string[]>();
  for (const { id } of await ledger.incidents({ open: true })) {
    for (const { body } of await ledger.entries({ incidentId: id, kinds: [CHAIN_FINISHED] })) {
      // The agent writes it: what is no record of doubts says nothing, and must not keep the gate from judging.
      const read = Recorded.safeParse(body);
      const hold = read.success ? read.data.holds : null;
      if (hold !== null) holds.set(keyOf(hold.changeIds), hold.doubts);
    }
  }
  return holds;
}

/** The assessment with what a model doubts of its decision as reasons to ask a person. Never more than was decided. */
export function withHolds(assessment: Assessment, holds: Holds): Assessment {
  const { decision } = assessment;
  const doubts = holds.get(keyOf(decision.changeIds)) ?? [];
  if (doubts.length === 0 || (decision.action !== "rollback" && decision.action !== "feature_flag_disable")) {
    return assessment;
  }
  return { ...assessment, decision: { ...decision, needsPerson: [...decision.needsPerson, ...doubts] } };
}
