import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { createHttp, type Http, path } from "../http.ts";

const page = <T>(item: z.ZodType<T>) =>
  z.looseObject({ count: z.int().nullish(), next: z.string().nullish(), results: z.array(item) });

const Feature = z.looseObject({ id: z.int(), name: z.string(), is_archived: z.boolean().nullish() });

/** What a feature is in one environment, for everyone there: no segment's and no identity's own. */
export const FeatureState = z.looseObject({
  id: z.int(),
  feature: z.int(),
  enabled: z.boolean(),
  feature_state_value: z.unknown().optional(),
  updated_at: z.string(),
  multivariate_feature_state_values: z.array(z.unknown()).nullish(),
});
export type FeatureState = z.infer<typeof FeatureState>;

/** An entry of the audit log. `log` is a sentence of Flagsmith's that ends in the feature's name. */
export const AuditEntry = z.looseObject({
  id: z.int(),
  created_date: z.string().transform((text) => Date.parse(text)),
  log: z.string().nullish(),
  author: z.looseObject({ email: z.string().nullish() }).nullish(),
  environment: z.looseObject({ api_key: z.string().nullish() }).nullish(),
  related_object_id: z.int().nullish(),
  related_object_type: z.string().nullish(),
  change_details: z
    .array(z.looseObject({ field: z.string(), old: z.unknown().optional(), new: z.unknown().optional() }))
    .nullish(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export interface FlagsmithOptions {
  /** "https://api.flagsmith.com", or one's own; not its /api. */
  readonly endpoint: URL;
  /** A key of the organisation, sent as "Api-Key". */
  readonly token: string;
  /** The project's number. */
  readonly project: number;
  /** What plans and the file call the environment. */
  readonly environment: string;
  /** The environment's key, as its SDKs use it on the client side: it names it in paths, and is no secret. */
  readonly environmentKey: string;
  readonly timeoutMs?: number;
}

/** A feature with its state in the environment. */
export interface Flag {
  readonly name: string;
  readonly archived: boolean;
  readonly state: FeatureState;
}

/** The parts of Flagsmith's Admin API that unship uses, for one project and environment. Throws as `Http` does. */
export interface FlagsmithClient {
  readonly source: string;
  readonly project: string;
  readonly environment: string;
  flags(abort: AbortSignal): Promise<readonly Flag[]>;
  flag(name: string, abort: AbortSignal): Promise<Flag>;
  /** Entries of the environment about states of features, newest first, one page after another until `enough`. */
  audit(enough: (oldest: AuditEntry) => boolean, abort: AbortSignal): Promise<readonly AuditEntry[]>;
  /** One entry with what changed in it. */
  auditEntry(id: number, abort: AbortSignal): Promise<AuditEntry>;
  /** Whether it is on after the write: the answer to a PATCH says that, and neither id nor time. */
  switchOff(stateId: number, abort: AbortSignal): Promise<{ readonly enabled: boolean }>;
  state(stateId: number, abort: AbortSignal): Promise<FeatureState>;
  close(): Promise<void>;
}

const PAGE = 100;
/** Flags of a project, or entries of its history in one look: more are a history that nobody asked for. */
const MOST = 5000;

/**
 * @see https://docs.flagsmith.com/clients/rest (Admin API, "Api-Key")
 * @see https://api.flagsmith.com/api/v1/docs/ (projects/{id}/features, environments/{key}/featurestates, projects/{id}/audit)
 * @see https://github.com/Flagsmith/flagsmith/blob/00c331f/api/features/views.py (BaseFeatureStateViewSet: what a PATCH answers)
 */
export function flagsmithClient(options: FlagsmithOptions): FlagsmithClient {
  const { endpoint, token, project, environment, environmentKey, timeoutMs } = options;
  const source = "flagsmith";
  const http: Http = createHttp({
    source,
    base: endpoint,
    headers: { authorization: `Api-Key ${token}` },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  async function all<T>(
    what: string,
    item: z.ZodType<T>,
    pathOf: (at: number) => ReturnType<typeof path>,
    abort: AbortSignal,
    enough: (oldest: T) => boolean = () => false,
  ): Promise<readonly T[]> {
    return http.pages(1, { what, most: MOST, pageSize: PAGE }, async (at, spent) => {
      const { results, next } = await http.getJson(pathOf(at), page(item), abort, { spent });
      const oldest = results.at(-1);
      const isLast = next === null || next === undefined || oldest === undefined || enough(oldest);
      return { items: results, next: isLast ? null : at + 1 };
    });
  }
  const features = (abort: AbortSignal) =>
    all("flags", Feature, (at) => path`/api/v1/projects/${project}/features/?page=${at}&page_size=${PAGE}`, abort);
  const states = (abort: AbortSignal) =>
    all(
      "states of flags",
      FeatureState,
      (at) => path`/api/v1/environments/${environmentKey}/featurestates/?page=${at}&page_size=${PAGE}`,
      abort,
    );
  const stateAt = (id: number) => path`/api/v1/environments/${environmentKey}/featurestates/${id}/`;
  async function flags(abort: AbortSignal): Promise<readonly Flag[]> {
    const [named, standing] = await Promise.all([features(abort), states(abort)]);
    return named.flatMap(({ id, name, is_archived }) => {
      const state = standing.find(({ feature }) => feature === id);
      return state === undefined ? [] : [{ name, archived: is_archived === true, state }];
    });
  }
  return {
    source,
    project: String(project),
    environment,
    flags,
    async flag(name, abort) {
      const found = (await flags(abort)).find((one) => one.name === name);
      if (found !== undefined) return found;
      throw new UnshipError("source.not_found", { source, what: `flag ${name} in ${environment}` });
    },
    async audit(enough, abort) {
      const entries = await all(
        "entries of its audit log",
        AuditEntry,
        (at) => path`/api/v1/projects/${project}/audit/?page=${at}&page_size=${PAGE}`,
        abort,
        enough,
      );
      return entries.filter(
        ({ related_object_type, environment: of }) =>
          related_object_type === "FEATURE_STATE" && of?.api_key === environmentKey,
      );
    },
    auditEntry: (id, abort) => http.getJson(path`/api/v1/projects/${project}/audit/${id}/`, AuditEntry, abort),
    async switchOff(stateId, abort) {
      const Switched = z.looseObject({ enabled: z.boolean() });
      return (await http.send("PATCH", stateAt(stateId), { enabled: false }, "application/json", Switched, abort)).body;
    },
    state: (stateId, abort) => http.getJson(stateAt(stateId), FeatureState, abort),
    close: () => http.close(),
  };
}
