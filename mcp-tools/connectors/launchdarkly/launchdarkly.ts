import type { ChangeSource, Executor, FlagSource } from "../../../core/ports.ts";
import type { ServiceFlags } from "../flag-answers.ts";
import { launchDarklyChanges } from "./changes.ts";
import { type LaunchDarklyOptions, launchDarklyClient } from "./client.ts";
import { launchDarklyDisable } from "./disable.ts";

export interface LaunchDarkly {
  readonly flags: FlagSource;
  readonly changes: ChangeSource;
  /** For the gate alone. */
  readonly disable: Executor;
  close(): Promise<void>;
}

/** Everything unship does with one project and environment of LaunchDarkly. `now`: Unix ms. */
export function connectLaunchDarkly(
  options: LaunchDarklyOptions & { readonly services: readonly ServiceFlags[]; readonly now: () => number },
): LaunchDarkly {
  const client = launchDarklyClient(options);
  const { services, now } = options;
  return {
    flags: {
      name: client.source,
      async flags(abort) {
        return (await client.flags(abort)).flatMap(({ key, archived, environments }) => {
          const state = environments?.[client.environment];
          if (state === undefined || archived === true) return [];
          return [
            {
              key,
              environment: client.environment,
              enabled: state.on,
              version: String(state.version),
              services: services.filter(({ flags }) => flags.includes(key)).map(({ service }) => service),
              ...(typeof state.lastModified === "number" ? { changedAt: state.lastModified } : {}),
            },
          ];
        });
      },
    },
    changes: launchDarklyChanges(client, services),
    disable: launchDarklyDisable({ client, now }),
    close: () => client.close(),
  };
}
