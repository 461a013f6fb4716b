import type { Feature, FlagEvent, FlagStore } from "./store.ts";

/** A flag in the list of a project (`GET /api/admin/projects/{p}/features`). */
export function adminView(feature: Feature) {
  return {
    ...common(feature),
    favorite: false,
    environments: [...feature.environments].map(([name, { enabled, strategies }], index) => ({
      ...environment(name, index),
      enabled,
      variantCount: 0,
      hasStrategies: strategies.length > 0,
      hasEnabledStrategies: strategies.some(({ disabled }) => !disabled),
    })),
  };
}

/** One flag in full (`GET /api/admin/projects/{p}/features/{f}`). */
export function featureView(feature: Feature) {
  return {
    ...common(feature),
    project: feature.project,
    archived: false,
    variants: [],
    dependencies: [],
    children: [],
    environments: [...feature.environments].map(([name, { enabled, strategies }], index) => ({
      ...environment(name, index),
      enabled,
      strategies,
    })),
  };
}

/** What SDKs read (`GET /api/client/features`): every flag as it stands in one environment. */
export function clientView(store: FlagStore, at: { environment: string; etag: string; queryHash: string }) {
  return {
    version: 2,
    features: store.list().map((feature) => {
      const state = feature.environments.get(at.environment);
      const { name, type, project, description } = feature;
      const strategies = (state?.strategies ?? []).map((strategy) => ({
        name: strategy.name,
        constraints: strategy.constraints,
        parameters: strategy.parameters,
        variants: strategy.variants,
      }));
      const fixed = { stale: false, variants: [], impressionData: false };
      return { name, type, enabled: state?.enabled ?? false, project, description, strategies, ...fixed };
    }),
    query: { environment: at.environment, inlineSegmentConstraints: true },
    meta: { revisionId: store.revision(), etag: at.etag, queryHash: at.queryHash },
  };
}

/** The change feed (`GET /api/admin/events`, `…/events/{feature}`), newest first. */
export function eventView(
  store: FlagStore,
  { feature, project }: { readonly feature: string | undefined; readonly project: string | null },
) {
  const events = newestFirst(store).filter(
    (event) =>
      (feature === undefined || event.featureName === feature) && (project === null || event.project === project),
  );
  const name = feature === undefined ? {} : { toggleName: feature };
  return { version: 1, ...name, events, totalEvents: events.length };
}

const SEARCH_FIELDS = {
  feature: "featureName",
  project: "project",
  type: "type",
  createdBy: "createdBy",
  environment: "environment",
} as const satisfies Record<string, keyof FlagEvent>;
const DEFAULT_SEARCH_LIMIT = 50;

/** `GET /api/admin/search/events`: filters read "IS:a" or "IS_ANY_OF:a,b"; `from` and `to` are whole days. */
export function searchEvents(store: FlagStore, search: URLSearchParams) {
  const day = (name: string) => search.get(name)?.replace(/^IS:/, "");
  const from = day("from") ?? "";
  const to = day("to") ?? "9999-12-31";
  const found = newestFirst(store).filter(
    (event) =>
      event.createdAt.slice(0, 10) >= from &&
      event.createdAt.slice(0, 10) <= to &&
      Object.entries(SEARCH_FIELDS).every(([parameter, field]) => fits(search.get(parameter), String(event[field]))),
  );
  const offset = Number(search.get("offset") ?? 0);
  const limit = Number(search.get("limit") ?? DEFAULT_SEARCH_LIMIT);
  return { events: found.slice(offset, offset + limit), total: found.length };
}

function fits(filter: string | null, value: string): boolean {
  if (filter === null) return true;
  const [, operator, list = ""] = /^(IS|IS_ANY_OF|IS_NOT|IS_NONE_OF):(.*)$/.exec(filter) ?? [];
  const among = list.split(",").includes(value);
  return operator === undefined || (operator.startsWith("IS_N") ? !among : among);
}

function newestFirst(store: FlagStore): readonly FlagEvent[] {
  return store.events().toReversed();
}

function common({ name, description, type, createdAt }: Feature) {
  return { name, description, type, createdAt, stale: false, impressionData: false, lastSeenAt: null };
}

function environment(name: string, index: number) {
  return { name, type: name, sortOrder: index + 2, lastSeenAt: null };
}
