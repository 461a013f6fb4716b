import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import type { Config, SecretRef } from "../../core/config/config.ts";
import { isNeeded, secretsIn } from "../../core/config/secrets.ts";
import { UnshipError } from "../../core/errors.ts";
import { approverKey } from "../../mcp-tools/gate/approver-key.ts";
import { type Environment, secret } from "./secrets.ts";

/**
 * Why the gate and the agent are not apart though the file names a gate, a sentence for each reason; empty: they are, as far
 * as this process can see. Two names can stand for one credential: values are compared, of what can be read here.
 * No value is told (S10).
 */
export function whyNotSeparate(config: Config, environment: Environment): readonly string[] {
  if (config.gate === undefined) return [];
  const known = secretsIn(config).flatMap(({ key, secret: reference }) => {
    const value = readable(reference, environment);
    return value === null ? [] : [{ key, value, agents: isNeeded(key, "agent", true) }];
  });
  const agents = known.filter((one) => one.agents);
  const shared = known
    .filter((one) => !one.agents)
    .flatMap(({ key, value }) => {
      const same = agents.find((one) => one.value === value);
      return same === undefined ? [] : [`${key} is the same credential as ${same.key}, which the agent holds`];
    });
  const approving = agents.flatMap(({ key, value }) => {
    const hash = createHash("sha256").update(value).digest("hex");
    const open = approverKey(value).text;
    const whose = config.approvers.find(({ tokenSha256, tokenKey }) => tokenSha256 === hash || tokenKey === open);
    return whose === undefined
      ? []
      : [`${key} is the personal token of ${whose.name}: the agent would approve with it`];
  });
  return [...shared, ...approving, ...sameKubeconfigs(config)];
}

/** Throws "input.invalid" where the gate's credentials are the agent's. */
export function mustBeSeparate(config: Config, environment: Environment): void {
  const why = whyNotSeparate(config, environment);
  if (why.length > 0) throw new UnshipError("input.invalid", { what: "gate", reason: why.join("; ") });
}

/** A link, or another spelling of the path, is the same file. */
function sameKubeconfigs({ dataSources }: Config): readonly string[] {
  return dataSources.deployments.flatMap((source, index) => {
    if (source.type !== "kubernetes" || source.write?.kubeconfig == null || source.kubeconfig === null) return [];
    const { kubeconfig, context } = source.write;
    const real = fileOf(kubeconfig);
    if (real === null || real !== fileOf(source.kubeconfig) || context !== source.context) return [];
    const key = `data_sources.deployments[${index}]`;
    return [`${key}.write.kubeconfig is the same file as ${key}.kubeconfig, which the agent reads with`];
  });
}

function fileOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function readable(reference: SecretRef, environment: Environment): string | null {
  try {
    return secret(reference, environment);
  } catch {
    return null;
  }
}
