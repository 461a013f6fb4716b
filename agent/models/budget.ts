import type { ModelBudget, ModelConfig } from "../../core/config/config.ts";
import { modelUnavailable } from "./failures.ts";
import type { ChatModel, ChatReply } from "./model.ts";

/** What a model has used so far. `cost` in the currency of the prices; null where none are configured. */
export interface Spending {
  readonly turns: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedTokens: number;
  readonly cost: number | null;
}

export interface BudgetedModel extends ChatModel {
  spent(): Spending;
}

/**
 * A model that is not asked any more once its budget for one run is spent: it then throws `UnshipError`
 * "model.unavailable", and the chain goes on without it (S12). A turn that is under way may overrun by its own size: at
 * most its input and `maxOutputTokens`, which is lowered to what is left.
 */
export function budgeted(model: ChatModel, budget: ModelBudget, prices: ModelConfig["prices"]): BudgetedModel {
  let turns = 0;
  let inputTokens = 0;
  let outputTokens = 0;
  let cachedTokens = 0;
  const cost = () =>
    prices === null
      ? null
      : ((inputTokens - cachedTokens) * prices.input +
          cachedTokens * prices.cachedInput +
          outputTokens * prices.output) /
        1e6;
  const take = ({ usage }: ChatReply) => {
    inputTokens += usage.inputTokens;
    outputTokens += usage.outputTokens;
    cachedTokens += usage.cachedTokens ?? 0;
  };
  return {
    name: model.name,
    spent: () => ({ turns, inputTokens, outputTokens, cachedTokens, cost: cost() }),
    async reply(request, abort) {
      const left = budget.tokens - inputTokens - outputTokens;
      if (left <= 0) throw modelUnavailable(`its ${budget.tokens} tokens are spent`);
      if (turns >= budget.turns) throw modelUnavailable(`its ${budget.turns} turns are spent`);
      if (budget.cost !== null && (cost() ?? 0) >= budget.cost)
        throw modelUnavailable(`its cost of ${budget.cost} is spent`);
      turns += 1;
      const reply = await model.reply({ ...request, maxOutputTokens: Math.min(request.maxOutputTokens, left) }, abort);
      take(reply);
      return reply;
    },
  };
}
