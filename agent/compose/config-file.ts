import { existsSync, readFileSync } from "node:fs";
import type { Config, ConfigProblem, SecretRef } from "../../core/config/config.ts";
import { formatProblem, loadConfig } from "../../core/config/load.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Environment } from "./secrets.ts";

/** Every problem of a file, a line each; the cause of "config.invalid". */
export class ConfigProblems extends Error {
  readonly lines: readonly string[];
  constructor(problems: readonly ConfigProblem[]) {
    super("the configuration has problems");
    this.lines = problems.map(formatProblem);
  }
}

const MODES = ["observe", "approve", "auto"] as const;

/** Reads and checks a file; `mode` overrides what it says. Throws "config.unreadable", "config.invalid", "input.invalid". */
export function readConfig(
  file: string,
  environment: Environment,
  mode: string | undefined,
  secrets: "needed" | "unused" = "needed",
): Config {
  const loaded = loadConfig(readText(file), file, environment, { secrets });
  if (!loaded.ok) {
    throw new UnshipError(
      "config.invalid",
      { file, count: loaded.problems.length },
      { cause: new ConfigProblems(loaded.problems) },
    );
  }
  const missing = missingFiles(loaded.config);
  if (missing.length > 0)
    throw new UnshipError("input.invalid", { what: file, reason: `no such file: ${missing.join(", ")}` });
  return mode === undefined ? loaded.config : withMode(loaded.config, mode);
}

/** The configuration with another mode, for every service that has none of its own. */
export function withMode(config: Config, mode: string): Config {
  const known = MODES.find((one) => one === mode);
  if (known === undefined) {
    throw new UnshipError("input.invalid", { what: "--mode", reason: `"${mode}" is none; choose ${MODES.join(", ")}` });
  }
  return { ...config, mode: known, modeIsDefault: false };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = existsSync(file)
      ? "it is there, but not readable"
      : "there is no such file; name one with --config, or start from examples/unship.yaml";
    throw new UnshipError("config.unreadable", { file, reason }, { cause });
  }
}

/** Files behind `${file:…}` that do not exist: found now rather than at three in the night. */
function missingFiles({ dataSources, model }: Config): readonly string[] {
  const { metrics, deployments, logs, featureFlags } = dataSources;
  const references: readonly (SecretRef | null)[] = [
    metrics.type === "prometheus" ? metrics.token : null,
    ...deployments.map((source) => (source.type === "argocd_webhook" ? source.token : null)),
    logs?.type === "elasticsearch" ? logs.apiKey : null,
    featureFlags?.type === "launchdarkly" ? featureFlags.apiKey : null,
    featureFlags?.type === "unleash" ? featureFlags.token : null,
    model?.apiKey ?? null,
  ];
  return references.flatMap((reference) =>
    reference?.from === "file" && !existsSync(reference.path) ? [reference.path] : [],
  );
}
