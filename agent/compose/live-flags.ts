import type { FlagsSource, SecretRef } from "../../core/config/config.ts";
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

/** The vendor's own part is loaded only where the file names it. */
async function connect(source: FlagsSource, { config, clock, environment, act }: OpenContext): Promise<FlagSystem> {
  const services = Object.entries(config.services).map(([service, { flags }]) => ({ service, flags }));
  const tokenOf = (own: SecretRef) => secret(act ? (source.write ?? own) : own, environment);
  const common = { endpoint: new URL(source.endpoint), services, now: clock.now };
  switch (source.type) {
    case "unleash": {
      const { connectUnleash } = await import("../../mcp-tools/connectors/unleash/unleash.ts");
      const { project, actor } = source;
      const token = tokenOf(source.token);
      return connectUnleash({ ...common, token, project, environment: source.environment, actor });
    }
    case "launchdarkly": {
      const { connectLaunchDarkly } = await import("../../mcp-tools/connectors/launchdarkly/launchdarkly.ts");
      const token = tokenOf(source.apiKey);
      return connectLaunchDarkly({ ...common, token, project: source.project, environment: source.environment });
    }
    case "flagsmith": {
      const { connectFlagsmith } = await import("../../mcp-tools/connectors/flagsmith/flagsmith.ts");
      const { project, environmentKey } = source;
      const token = tokenOf(source.token);
      return connectFlagsmith({ ...common, token, project, environment: source.environment, environmentKey });
    }
  }
}
