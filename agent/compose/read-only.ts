import { accessSync, constants } from "node:fs";
import type { Config, SecretRef } from "../../core/config/config.ts";
import { isNeeded, secretsIn } from "../../core/config/secrets.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Hello } from "../../mcp-tools/channel/protocol.ts";
import type { Environment } from "./secrets.ts";
import type { SourceReport } from "./system-parts.ts";

/** What a credential may change, as its API says. */
export interface Rights {
  readonly may: readonly string[];
  /** What the API gave no answer to. */
  readonly untold: readonly string[];
}

/** So many rights are named; the rest is counted. */
const NAMED = 3;

/** Whether what the agent holds can only read. An API that cannot tell fails nothing; one that is down is said so. */
export async function onlyReads(name: string, ask: () => Promise<Rights>): Promise<SourceReport> {
  const whose = `${name}: the agent's credential`;
  try {
    const { may, untold } = await ask();
    const more = untold.length === 0 ? "" : `; cannot tell whether it may do more (${some(untold)})`;
    if (may.length > 0) {
      const text = `${whose} may ${some(may)}${more}. Only the gate's may: take these rights from it`;
      return { ok: false, tooMuch: true, text };
    }
    if (untold.length > 0) return { ok: true, text: `${whose}: cannot tell whether it can write (${some(untold)})` };
    return { ok: true, text: `${whose} can only read` };
  } catch (error) {
    if (!(error instanceof UnshipError)) throw error;
    return { ok: false, text: `${whose}: ${error.message}` };
  }
}

const some = (all: readonly string[]): string =>
  `${all.slice(0, NAMED).join(", ")}${all.length > NAMED ? ` and ${all.length - NAMED} more` : ""}`;

/**
 * What this user can get at of what only the gate may hold: files that it can read, variables that are set, and what
 * stands in the file itself. Nothing is read.
 */
export function withinReach(config: Config, environment: Environment): readonly SourceReport[] {
  if (config.gate === undefined) return [];
  const secrets = secretsIn(config)
    .filter(({ key }) => !isNeeded(key, "agent", true))
    .flatMap(({ key, secret }) => {
      const where = reachable(secret, environment);
      return where === null ? [] : [`${key} (${where})`];
    });
  const files = [
    ...config.dataSources.deployments.flatMap((source, index) => {
      const path = source.type === "kubernetes" ? (source.write?.kubeconfig ?? null) : null;
      return path === null ? [] : [{ key: `data_sources.deployments[${index}].write.kubeconfig`, path }];
    }),
    ...(config.ledger.type === "sqlite" ? [{ key: "ledger.path", path: config.ledger.path }] : []),
    ...(config.ledger.signingKey === null ? [] : [{ key: "ledger.signing_key", path: config.ledger.signingKey }]),
  ].flatMap(({ key, path }) => (canRead(path) ? [`${key} (it can read ${path})`] : []));
  const variables = config.dataSources.migrations.flatMap(({ name, write }) =>
    (write?.environment ?? []).flatMap((variable) =>
      isSet(variable, environment) ? [`migrations of ${name} (${variable} is set)`] : [],
    ),
  );
  const found = [...secrets, ...files, ...variables];
  if (found.length === 0)
    return [{ ok: true, text: "this user and environment hold nothing that is the gate's alone" }];
  const text = `this user or environment holds what is the gate's alone: ${found.join(", ")}. Run check as the user that watches, or take it away`;
  return [{ ok: false, tooMuch: true, text }];
}

/** What the gate says of itself, beside what the agent's file says. The gate's own file counts. */
export function gateLine({ version, mode, actions, watched }: Hello, config: Config): SourceReport {
  const does = actions.length === 0 ? "carries nothing out" : `carries out ${actions.join(", ")}`;
  const other = mode === config.mode ? "" : `; this file says ${config.mode}, and the gate's counts`;
  return {
    ok: true,
    text: `gate: unship ${version} in mode ${mode}, ${does}${watched ? "" : "; no watch is connected to it"}${other}`,
  };
}

function reachable(secret: SecretRef, environment: Environment): string | null {
  switch (secret.from) {
    case "text":
      return "it is in the file itself";
    case "env":
      return isSet(secret.name, environment) ? `${secret.name} is set` : null;
    case "file":
      return canRead(secret.path) ? `it can read ${secret.path}` : null;
  }
}

const isSet = (name: string, environment: Environment): boolean => (environment[name] ?? "") !== "";

function canRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
