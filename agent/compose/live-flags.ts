import type { FlagsSource } from "../../core/config/config.ts";
import type { ChangeSource, Executor, FlagSource } from "../../core/ports.ts";
import { onlyReads } from "./read-only.ts";
import { secret } from "./secrets.ts";
import { actsOn, attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

/** What every flag system offers: states, history, and the hand that switches one off. */
interface FlagSystem {
  readonly flags: FlagSource;
  readonly changes: ChangeSource;
  readonly disable: Executor;
  close(): Promise<void>;
}

/** Opens the flag system: states, history, and the executor that switches one off where this process may act. */
export async function openFlags(source: FlagsSource, context: OpenContext, parts: SystemParts): Promise<void> {
  const system = await connect(source, context);
  parts.sources.flags.push(system.flags);
  parts.sources.changes.push(system.changes);
  if (actsOn(context, source)) parts.executors.push(system.disable);
  parts.tells.flags.push(async (abort) => (await system.flags.flags(abort)).map(({ key }) => key));
  parts.report.push((abort) =>
    attempt(
      `${source.type} ${source.endpoint}`,
      async () => `${(await system.flags.flags(abort)).length} flags in ${source.project}/${source.environment}`,
    ),
  );
  if (context.config.gate !== undefined) {
    const untold = [`${source.type} tells no token what it may do`];
    parts.report.push(() => onlyReads(source.type, async () => ({ may: [], untold })));
  }
  parts.close.push(() => system.close());
}

/** Which flag system, and as whom. `endpoint` null: the vendor's own. `environmentKey`: of Flagsmith alone. */
export interface FlagPlace {
  readonly type: FlagsSource["type"];
  readonly endpoint: string | null;
  readonly token: string;
  readonly project: string;
  readonly environment: string;
  readonly environmentKey: string;
  readonly actor?: string | null;
}

async function connect(source: FlagsSource, { config, clock, environment, act }: OpenContext): Promise<FlagSystem> {
  const services = Object.entries(config.services).map(([service, { flags }]) => ({ service, flags }));
  const own = source.type === "launchdarkly" ? source.apiKey : source.token;
  const place = {
    ...source,
    token: secret(act ? (source.write ?? own) : own, environment),
    project: String(source.project),
    environmentKey: source.type === "flagsmith" ? source.environmentKey : "",
    actor: source.type === "unleash" ? source.actor : null,
  };
  return connectFlags(place, { services, now: clock.now });
}

/** Where the vendors' clouds answer, as the schema's defaults say. */
const CLOUDS = { launchdarkly: "https://app.launchdarkly.com", flagsmith: "https://api.flagsmith.com" } as const;

/** The vendor's own part is loaded only where it is named. */
export async function connectFlags(
  { type, endpoint, token, project, environment, environmentKey, actor = null }: FlagPlace,
  {
    services,
    now,
  }: {
    readonly services: readonly { readonly service: string; readonly flags: readonly string[] }[];
    readonly now: () => number;
  },
): Promise<FlagSystem> {
  const common = { services, now, token, environment };
  switch (type) {
    case "unleash": {
      const { connectUnleash } = await import("../../mcp-tools/connectors/unleash/unleash.ts");
      return connectUnleash({ ...common, endpoint: new URL(endpoint ?? ""), project, actor });
    }
    case "launchdarkly": {
      const { connectLaunchDarkly } = await import("../../mcp-tools/connectors/launchdarkly/launchdarkly.ts");
      return connectLaunchDarkly({ ...common, endpoint: new URL(endpoint ?? CLOUDS.launchdarkly), project });
    }
    case "flagsmith": {
      const { connectFlagsmith } = await import("../../mcp-tools/connectors/flagsmith/flagsmith.ts");
      const at = new URL(endpoint ?? CLOUDS.flagsmith);
      return connectFlagsmith({ ...common, endpoint: at, project: Number(project), environmentKey });
    }
  }
}
