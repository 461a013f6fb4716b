import type { FlagsSource } from "../../core/config/config.ts";
import type { ChangeSource, Executor, FlagSource } from "../../core/ports.ts";
import { secret } from "./secrets.ts";
import { attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

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
  if (context.act) parts.executors.push(system.disable);
  parts.report.push((abort) =>
    attempt(
      `${source.type} ${source.endpoint}`,
      async () => `${(await system.flags.flags(abort)).length} flags in ${source.project}/${source.environment}`,
    ),
  );
  parts.close.push(() => system.close());
}

/** The vendor's own part is loaded only where the file names it. */
async function connect(source: FlagsSource, { config, clock, environment }: OpenContext): Promise<FlagSystem> {
  const services = Object.entries(config.services).map(([service, { flags }]) => ({ service, flags }));
  const common = { endpoint: new URL(source.endpoint), services, now: clock.now };
  switch (source.type) {
    case "unleash": {
      const { connectUnleash } = await import("../../mcp-tools/connectors/unleash/unleash.ts");
      const { project, actor } = source;
      const token = secret(source.token, environment);
      return connectUnleash({ ...common, token, project, environment: source.environment, actor });
    }
    case "launchdarkly": {
      const { connectLaunchDarkly } = await import("../../mcp-tools/connectors/launchdarkly/launchdarkly.ts");
      const token = secret(source.apiKey, environment);
      return connectLaunchDarkly({ ...common, token, project: source.project, environment: source.environment });
    }
    case "flagsmith": {
      const { connectFlagsmith } = await import("../../mcp-tools/connectors/flagsmith/flagsmith.ts");
      const { project, environmentKey } = source;
      const token = secret(source.token, environment);
      return connectFlagsmith({ ...common, token, project, environment: source.environment, environmentKey });
    }
  }
}
