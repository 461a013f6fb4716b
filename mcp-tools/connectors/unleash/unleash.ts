import type { ChangeSource, Executor, FlagSource } from "../../../core/ports.ts";
import { unleashChanges } from "./changes.ts";
import { type UnleashOptions, unleashClient } from "./client.ts";
import { featureFlagDisable } from "./disable.ts";
import { type ServiceFlags, unleashFlags } from "./flags.ts";
import { ownWrites } from "./own-writes.ts";

export interface Unleash {
  readonly flags: FlagSource;
  readonly changes: ChangeSource;
  /** For the gate alone. */
  readonly disable: Executor;
  close(): Promise<void>;
}

/**
 * Everything unship does with one project and environment of an Unleash server. The three share what they know of own
 * writes. `actor`: the createdBy name of the token, where only unship uses it (see `ownWrites`). `now`: Unix ms.
 */
export function connectUnleash(
  options: UnleashOptions & {
    readonly services: readonly ServiceFlags[];
    readonly actor: string | null;
    readonly now: () => number;
  },
): Unleash {
  const client = unleashClient(options);
  const own = ownWrites(options.actor);
  return {
    flags: unleashFlags(client, options.services),
    changes: unleashChanges(client, options.services, own),
    disable: featureFlagDisable({ client, own, now: options.now }),
    close: () => client.close(),
  };
}
