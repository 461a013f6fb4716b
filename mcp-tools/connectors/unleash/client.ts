import { z } from "zod";
import { type AskOptions, createHttp, type Http, path } from "../http.ts";

const Strategy = z.looseObject({
  name: z.string().default(""),
  disabled: z.boolean().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
});
const Environment = z.looseObject({
  name: z.string(),
  enabled: z.boolean(),
  strategies: z.array(Strategy).nullish(),
});
/** A flag, as the admin API shows it: in a project's list without strategies, alone with them. */
export const Feature = z.looseObject({
  name: z.string(),
  archived: z.boolean().nullish(),
  environments: z
    .array(Environment)
    .nullish()
    .transform((value) => value ?? []),
  /** Flags that are on only while this one is. */
  children: z.array(z.string()).nullish(),
});
export type Feature = z.infer<typeof Feature>;

/** An entry of the event log. `id` grows with each; `environment` is absent where an event concerns all of them. */
export const UnleashEvent = z.looseObject({
  id: z.number().int(),
  type: z.string(),
  createdAt: z.string().transform((text) => Date.parse(text)),
  createdBy: z.string(),
  featureName: z.string().nullish(),
  environment: z.string().nullish(),
  data: z.unknown().optional(),
  preData: z.unknown().optional(),
  summary: z.string().nullish(),
});
export type UnleashEvent = z.infer<typeof UnleashEvent>;

export interface UnleashOptions {
  /** Where Unleash is mounted: "https://flags.example.com" or with a path below it; not its /api. */
  readonly endpoint: URL;
  /** An admin token, a service account's or a personal one: sent as it is, without "Bearer". */
  readonly token: string;
  readonly project: string;
  readonly environment: string;
  readonly timeoutMs?: number;
}

export interface EventFilter {
  readonly feature?: string;
  readonly types?: readonly string[];
  /** Unix ms; Unleash filters by whole days, so older ones of that day come too. */
  readonly from?: number;
  readonly limit: number;
  readonly offset?: number;
}

/** The parts of Unleash's admin API that unship uses, for one project and environment. Throws as `Http` does. */
export interface UnleashClient {
  readonly source: string;
  readonly project: string;
  readonly environment: string;
  features(abort: AbortSignal): Promise<readonly Feature[]>;
  feature(name: string, abort: AbortSignal): Promise<Feature>;
  /** Events of the environment, newest first. */
  events(filter: EventFilter, abort: AbortSignal): Promise<readonly UnleashEvent[]>;
  /** All of them since `from` (Unix ms; a few older ones may follow), newest first. */
  eventsSince(
    filter: Pick<EventFilter, "types"> & { readonly from: number },
    abort: AbortSignal,
  ): Promise<readonly UnleashEvent[]>;
  switchOff(name: string, abort: AbortSignal): Promise<void>;
  /** The name that Unleash writes as `createdBy` of what this token does; null: it does not tell. */
  identity(abort: AbortSignal): Promise<string | null>;
  close(): Promise<void>;
}

/** The most that one answer of the event search may hold. */
export const EVENTS_PAGE = 1000;
/** Switches of flags in one window: 1,000 flags that are each changed every day for two weeks are fewer. */
const EVENTS_MOST = 20_000;

/**
 * @see https://docs.getunleash.io/api/get-project-features (and get-feature)
 * @see https://docs.getunleash.io/api/search-events (filters read "IS:value" or "IS_ANY_OF:a,b")
 * @see https://docs.getunleash.io/api/toggle-feature-environment-off
 * @see https://docs.getunleash.io/api/get-me, and extractUsernameFromUser in
 *   https://github.com/Unleash/unleash/blob/00bfa90/src/lib/util/extract-user.ts (`createdBy` is the e-mail, else the user name)
 */
export function unleashClient({ endpoint, token, project, environment, timeoutMs }: UnleashOptions): UnleashClient {
  const source = "unleash";
  const http: Http = createHttp({
    source,
    base: endpoint,
    headers: { authorization: token },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  async function events(
    { feature, types, from, limit, offset = 0 }: EventFilter,
    abort: AbortSignal,
    options: AskOptions,
  ): Promise<readonly UnleashEvent[]> {
    const Page = z.looseObject({ events: z.array(UnleashEvent) });
    const name = feature === undefined ? "" : `IS:${feature}`;
    const type = types === undefined ? "" : `IS_ANY_OF:${types.join(",")}`;
    const day = from === undefined ? "" : `IS:${new Date(from).toISOString().slice(0, 10)}`;
    const common = path`/api/admin/search/events?project=${`IS:${project}`}&environment=${`IS:${environment}`}&limit=${limit}&offset=${offset}`;
    const rest = Object.entries({ feature: name, type, from: day }).filter(([, value]) => value !== "");
    const query = rest.map(([key, value]) => `&${key}=${encodeURIComponent(value)}`).join("");
    return (await http.getJson(`${common}${query}` as typeof common, Page, abort, options)).events;
  }
  return {
    source,
    project,
    environment,
    async features(abort) {
      const List = z.looseObject({ features: z.array(Feature) });
      return (await http.getJson(path`/api/admin/projects/${project}/features`, List, abort)).features;
    },
    async feature(name, abort) {
      return http.getJson(path`/api/admin/projects/${project}/features/${name}`, Feature, abort);
    },
    events: (filter, abort) => events(filter, abort, {}),
    async eventsSince(filter, abort) {
      const bounds = { what: "changes of flags in one window", most: EVENTS_MOST, pageSize: EVENTS_PAGE };
      return http.pages(0, bounds, async (offset, spent) => {
        const items = await events({ ...filter, limit: EVENTS_PAGE, offset }, abort, { spent });
        const isLast = items.length < EVENTS_PAGE || (items.at(-1)?.createdAt ?? 0) < filter.from;
        return { items, next: isLast ? null : offset + EVENTS_PAGE };
      });
    },
    async switchOff(name, abort) {
      const to = path`/api/admin/projects/${project}/features/${name}/environments/${environment}/off`;
      await http.send("POST", to, undefined, "", z.unknown(), abort);
    },
    async identity(abort) {
      const Me = z.looseObject({
        user: z.looseObject({ email: z.string().nullish(), username: z.string().nullish() }),
      });
      const { user } = await http.getJson(path`/api/admin/user`, Me, abort);
      return user.email || user.username || null;
    },
    close: () => http.close(),
  };
}
