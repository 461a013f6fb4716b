import type { Composition } from "../../agent/cli/composition.ts";
import { budgeted } from "../../agent/models/budget.ts";
import { scriptedModel } from "../../agent/models/scripted.ts";
import type { ModelConfig } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Reasoner } from "../replay/replay.ts";
import { blamingAnother, byTheBook, type Script } from "./by-the-book.ts";

export interface ReasonerChoice {
  /** anthropic, openai, scripted or scripted:NAME. */
  readonly reasoner: string;
  readonly model?: string | undefined;
  readonly baseUrl?: string | undefined;
  /** A configuration whose own model is taken where no name is given. */
  readonly config?: string | undefined;
}

/** Models without a vendor, for trying the machinery and its baselines: one does what the prompts say, one errs. */
const SCRIPTS: Readonly<Record<string, () => Script>> = {
  scripted: () => byTheBook(),
  "scripted:blames-another": blamingAnother,
};

const KEYS = { anthropic: "ANTHROPIC_API_KEY", openai: "OPENAI_API_KEY" } as const;

/** A run's limits where no file sets them: a replay has time, and must not stop a model that a live incident would. */
const BUDGET: ModelConfig["budget"] = { tokens: 200_000, turns: 60, timeMs: 600_000, stepTimeMs: 120_000, cost: null };

/** The model to score, under the name that its baseline goes by. Throws "input.invalid" for one that cannot be had. */
export async function openReasoner(
  to: Composition,
  { reasoner, model, baseUrl, config }: ReasonerChoice,
): Promise<{ readonly name: string; readonly reasoner: Reasoner }> {
  const script = SCRIPTS[reasoner];
  if (script !== undefined) {
    const settings = settingsOf("openai", reasoner, null);
    const open = async () => budgeted(scriptedModel(script(), reasoner), settings.budget, null);
    return { name: reasoner, reasoner: { config: settings, open } };
  }
  if (reasoner !== "anthropic" && reasoner !== "openai") {
    const known = ["anthropic", "openai", ...Object.keys(SCRIPTS)].join(", ");
    throw new UnshipError("input.invalid", {
      what: "--reasoner",
      reason: `there is no ${reasoner}; known are ${known}`,
    });
  }
  const settings =
    model !== undefined
      ? { ...settingsOf(reasoner, model, baseUrl ?? null), apiKey: { from: "env", name: KEYS[reasoner] } as const }
      : await fromFile(to, reasoner, config);
  return { name: `${reasoner} ${settings.model}`, reasoner: { config: settings, open: await to.model(settings) } };
}

const settingsOf = (provider: "anthropic" | "openai", model: string, baseUrl: string | null): ModelConfig => ({
  provider,
  model,
  baseUrl,
  apiKey: null,
  mayHold: false,
  mayReadCode: false,
  budget: BUDGET,
  prices: null,
});

async function fromFile(to: Composition, provider: string, file: string | undefined): Promise<ModelConfig> {
  const found = file === undefined ? null : (await to.config({ config: file }, "nothing")).config.model;
  if (found?.provider === provider) return found;
  throw new UnshipError("input.invalid", {
    what: "--reasoner",
    reason: `name the model with --model, or a configuration with -c whose model is of ${provider}`,
  });
}
