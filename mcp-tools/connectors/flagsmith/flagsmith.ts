import type { Change } from "../../../core/model/change.ts";
import type { ChangeSource, Executor, FlagSource } from "../../../core/ports.ts";
import type { ServiceFlags } from "../flag-answers.ts";
import { type FlagsmithClient, type FlagsmithOptions, flagsmithClient } from "./client.ts";
import { flagsmithDisable } from "./disable.ts";
import { API_KEY, type FlagEvent, flagHistory } from "./history.ts";
import { type OwnSwitches, ownSwitches } from "./own-switches.ts";

export interface Flagsmith {
  readonly flags: FlagSource;
  readonly changes: ChangeSource;
  /** For the gate alone. */
  readonly disable: Executor;
  close(): Promise<void>;
}

/** Everything unship does with one project and environment of a Flagsmith server. `now`: Unix ms. */
export function connectFlagsmith(
  options: FlagsmithOptions & { readonly services: readonly ServiceFlags[]; readonly now: () => number },
): Flagsmith {
  const client = flagsmithClient(options);
  const history = flagHistory(client);
  const own = ownSwitches();
  const { services, now } = options;
  return {
    flags: {
      name: client.source,
      async flags(abort) {
        return (await client.flags(abort))
          .filter(({ archived }) => !archived)
          .map(({ name, state }) => ({
            key: name,
            environment: client.environment,
            enabled: state.enabled,
            version: state.updated_at,
            services: services.filter(({ flags }) => flags.includes(name)).map(({ service }) => service),
            changedAt: Date.parse(state.updated_at),
          }));
      },
    },
    changes: flagsmithChanges(client, history, services, own),
    disable: flagsmithDisable({ client, history, own, now }),
    close: () => client.close(),
  };
}

/**
 * What the audit log says of features in one environment, as changes: switched on or off (`from`, `to` "on" / "off"), or
 * its value changed (`from`, `to` say how). A change takes effect at once; SDKs poll, which delays it by their interval.
 * `reversible`: `feature_flag_disable` would take it back, so what ends in off is not.
 */
function flagsmithChanges(
  client: FlagsmithClient,
  history: ReturnType<typeof flagHistory>,
  services: readonly ServiceFlags[],
  own: OwnSwitches,
): ChangeSource {
  return {
    name: client.source,
    async changes(window, abort) {
      const events = (await history(window.from, abort)).filter(({ at }) => at <= window.to);
      if (events.length === 0) return [];
      const names = new Map((await client.flags(abort)).map(({ name, state }) => [state.id, name]));
      return events.flatMap((event) => {
        const name = names.get(event.stateId);
        return name === undefined ? [] : [changeOf(event, name, client, services, own)];
      });
    },
  };
}

function changeOf(
  event: FlagEvent,
  name: string,
  { source, project, environment }: FlagsmithClient,
  services: readonly ServiceFlags[],
  own: OwnSwitches,
): Change {
  const { id, at, author, switched, stateId } = event;
  const word = (on: boolean) => (on ? "on" : "off");
  const known = switched !== null && switched !== "unknown";
  const off = known && !switched.to;
  return {
    id: `flag:${environment}/${name}:${id}`,
    kind: "flag",
    service: services.find(({ flags }) => flags.includes(name))?.service ?? name,
    from: known ? word(switched.from) : event.from || "not known",
    to: known ? word(switched.to) : event.to || "not known",
    startedAt: at,
    finishedAt: at,
    source,
    reversible: !off,
    author,
    flag: name,
    environment,
    workload: { kind: "Flag", namespace: project, name },
    ...(off && author === API_KEY && own.has(stateId, at) ? { ownRollback: true } : {}),
  };
}
