import type { ModelConfig } from "../../core/config/config.ts";
import { type BudgetedModel, budgeted } from "./budget.ts";
import { modelWithoutSecrets } from "./without-secrets.ts";

/**
 * The model that the file names, with its budget for one run of the chain. The vendor's client is loaded here and not
 * before: who uses no model pays nothing for it. `apiKey` null: none is sent.
 */
export async function configuredModel(config: ModelConfig, apiKey: string | null): Promise<BudgetedModel> {
  const { model, baseUrl, budget, prices } = config;
  const options = { model, apiKey, baseUrl, timeoutMs: budget.stepTimeMs };
  if (config.provider === "anthropic") {
    const { anthropicModel } = await import("./anthropic.ts");
    return budgeted(modelWithoutSecrets(anthropicModel(options)), budget, prices);
  }
  const { openaiModel } = await import("./openai.ts");
  return budgeted(modelWithoutSecrets(openaiModel(options)), budget, prices);
}
