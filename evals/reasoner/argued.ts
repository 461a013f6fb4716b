import type { Track } from "../../agent/chain/result.ts";
import type { Spending } from "../../agent/models/budget.ts";
import type { Ledger } from "../../core/ports.ts";
import { type Episode, targetsOf, toldImpact } from "../replay/episode.ts";

/** What a model argued on one incident: the episode as it would have it, and how it got there. */
export interface Argued {
  readonly episode: Episode;
  readonly steps: readonly StepCount[];
  readonly spent: Spending;
}

/** One step: how it ended, and how many claims were refused on the way. */
export interface StepCount {
  readonly step: string;
  readonly outcome: Track["steps"][number]["outcome"];
  readonly refused: number;
}

const NOTHING: Spending = { turns: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, cost: null };

/**
 * The core's episode with a model's answers in the place of the core's, from the record of the last time that the chain
 * ran. Nothing is borrowed: a step that the model left without an answer says nothing, and a model that recommends
 * nothing recommends no action. Detection stays the core's, since no model is asked before something is detected.
 */
export async function arguedOf(
  ledger: Pick<Ledger, "entries">,
  incidentId: string,
  core: Episode | undefined,
): Promise<Argued> {
  if (core === undefined) throw new Error(`incident ${incidentId} has no episode`);
  const entries = await ledger.entries({ incidentId, kinds: ["chain.finished"], limit: 1_000 });
  const bodies = entries.map(({ body }) => body as { readonly model?: Track | null; readonly spent?: Spending | null });
  const spent = bodies.map((body) => body.spent ?? NOTHING).reduce(sum, NOTHING);
  const track = bodies.findLast(({ model }) => model !== null && model !== undefined)?.model ?? null;
  const steps = (track?.steps ?? []).map(({ step, outcome, refused }) => ({ step, outcome, refused: refused.length }));
  return { episode: episodeOf(core, track), steps, spent };
}

function episodeOf(core: Episode, track: Track | null): Episode {
  const answers = track?.answers ?? {};
  const decision = answers.recommend_action?.decision;
  const ranking = answers.correlate_timing?.ranking;
  const first = ranking?.candidates.toSorted((a, b) => b.probability - a.probability)[0];
  const likely = first !== undefined && first.probability > (ranking?.noChangeProbability ?? 1) ? first : null;
  const action = decision?.action ?? "no_action";
  const named = action === "no_action" ? likely : (decision?.culprit ?? likely);
  return {
    ...core,
    affected_services: answers.check_affected_services?.services ?? [],
    root_causes: ranking?.rootCauses ?? [],
    business_impact: toldImpact(answers.evaluate_business_impact ?? { impact: null }),
    action,
    culprit: named === null ? null : { change_id: named.changeId, probability: named.probability },
    candidates: (ranking?.candidates ?? []).map(({ changeId, probability }) => ({ change_id: changeId, probability })),
    no_change_probability: ranking?.noChangeProbability ?? 1,
    targets: action === "no_action" ? [] : targetsOf(decision ?? null),
    guardrail: action === "no_action" ? { verdict: "allow", reasons: [] } : null,
    executed_at: null,
  };
}

function sum(a: Spending, b: Spending): Spending {
  return {
    turns: a.turns + b.turns,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    cost: a.cost === null ? b.cost : a.cost + (b.cost ?? 0),
  };
}
