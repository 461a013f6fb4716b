import type { FlagState } from "../../../core/model/evidence.ts";
import type { FlagSource } from "../../../core/ports.ts";
import { EVENTS_PAGE, type UnleashClient } from "./client.ts";

/** Which service evaluates which flags, as the configuration says. */
export interface ServiceFlags {
  readonly service: string;
  readonly flags: readonly string[];
}

/** How many single look-ups run at once when flags are older than a page of the event log. */
const PARALLEL = 8;

/**
 * Every flag of the project as it stands in the environment. `version` is the id of the newest event about it there
 * ("0": none): Unleash itself numbers no flags. The log's newest page tells most; the others are looked up once and
 * remembered, since an event that is not on the page cannot be new.
 */
export function unleashFlags(client: UnleashClient, services: readonly ServiceFlags[]): FlagSource {
  const versions = new Map<string, { readonly id: number; readonly at: number | null }>();
  let newest = 0;
  return {
    name: client.source,
    async flags(abort) {
      const [features, page] = await Promise.all([
        client.features(abort),
        client.events({ limit: EVENTS_PAGE }, abort),
      ]);
      // A full page that does not reach back to the last one may hide events of any flag.
      if (page.length === EVENTS_PAGE && (page.at(-1)?.id ?? 0) > newest) versions.clear();
      newest = Math.max(newest, page[0]?.id ?? 0);
      for (const { featureName, id, createdAt } of page.toReversed())
        if (featureName) versions.set(featureName, { id, at: createdAt });
      const unknown = features.filter(({ name }) => !versions.has(name));
      if (page.length < EVENTS_PAGE) for (const { name } of unknown) versions.set(name, { id: 0, at: null });
      else
        for (let from = 0; from < unknown.length; from += PARALLEL)
          await Promise.all(
            unknown.slice(from, from + PARALLEL).map(async ({ name }) => {
              const [event] = await client.events({ feature: name, limit: 1 }, abort);
              versions.set(name, { id: event?.id ?? 0, at: event?.createdAt ?? null });
            }),
          );
      return features.flatMap(({ name, archived, environments }) => {
        const state = environments.find((one) => one.name === client.environment);
        if (state === undefined || archived) return [];
        const { id = 0, at = null } = versions.get(name) ?? {};
        const flag: FlagState = {
          key: name,
          environment: client.environment,
          enabled: state.enabled,
          version: String(id),
          services: services.filter(({ flags }) => flags.includes(name)).map(({ service }) => service),
          ...(at === null ? {} : { changedAt: at }),
        };
        return [flag];
      });
    },
  };
}
