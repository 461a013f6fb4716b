import { randomUUID } from "node:crypto";

/** Who holds a token, and for what. `admin` may read and write all; `client` may read one environment's flags. */
export interface FlagToken {
  readonly secret: string;
  readonly kind: "admin" | "client";
  /** Stands as `createdBy` in the events of what was done with it. */
  readonly name: string;
  readonly environment?: string;
}

export interface Strategy {
  readonly id: string;
  readonly name: string;
  readonly title: string | null;
  readonly disabled: boolean;
  readonly constraints: readonly unknown[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly variants: readonly unknown[];
  readonly sortOrder: number;
  readonly segments: readonly number[];
}

export interface Feature {
  readonly name: string;
  readonly description: string | null;
  readonly type: string;
  readonly project: string;
  readonly createdAt: string;
  readonly environments: ReadonlyMap<string, { enabled: boolean; strategies: Strategy[] }>;
}

/** One entry of the change feed. */
export interface FlagEvent {
  readonly id: number;
  readonly type: string;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly createdByUserId: number;
  readonly data: unknown;
  readonly preData: unknown;
  readonly tags: readonly unknown[];
  readonly featureName: string;
  readonly project: string;
  readonly environment: string | null;
}

/** Unleash's id for whoever comes with an admin token. */
const ADMIN_TOKEN_USER = -42;

export class FlagError extends Error {
  readonly status: number;
  constructor(status: number, name: string, message: string) {
    super(message);
    this.status = status;
    this.name = name;
  }
}

/** Flags of one Unleash instance in memory, with its change feed. */
export function createFlagStore(environments: readonly string[], now: () => number) {
  const features = new Map<string, Feature>();
  const events: FlagEvent[] = [];
  /** A new instance has written some events of its own before anyone does; ids need not start at 1. */
  let lastId = 6;

  function note(type: string, by: FlagToken, feature: Feature, environment: string | null, data: unknown): void {
    lastId += 1;
    const createdAt = new Date(now()).toISOString();
    const common = { createdBy: by.name, createdByUserId: ADMIN_TOKEN_USER, createdAt, preData: null, tags: [] };
    const { name: featureName, project } = feature;
    events.push({ id: lastId, type, ...common, data, featureName, project, environment });
  }

  function get(project: string, name: string): Feature {
    const feature = features.get(name);
    if (feature?.project === project) return feature;
    const elsewhere =
      feature === undefined ? "." : `, but there's a feature with that name in project "${feature.project}"`;
    throw new FlagError(404, "NotFoundError", `There's no feature named "${name}" in project "${project}"${elsewhere}`);
  }

  function at(project: string, name: string, environment: string) {
    const feature = get(project, name);
    const state = feature.environments.get(environment);
    if (state === undefined)
      throw new FlagError(404, "NotFoundError", `Could not find environment ${environment} for feature: ${name}`);
    return { feature, state };
  }

  function addStrategy(project: string, name: string, environment: string, wanted: Partial<Strategy>, by: FlagToken) {
    const { feature, state } = at(project, name, environment);
    const strategy: Strategy = {
      id: randomUUID(),
      name: wanted.name ?? "flexibleRollout",
      title: wanted.title ?? null,
      disabled: wanted.disabled ?? false,
      constraints: wanted.constraints ?? [],
      parameters: wanted.parameters ?? { groupId: name, rollout: "100", stickiness: "default" },
      variants: wanted.variants ?? [],
      sortOrder: state.strategies.length,
      segments: wanted.segments ?? [],
    };
    state.strategies.push(strategy);
    note("feature-strategy-add", by, feature, environment, strategy);
    return strategy;
  }

  return {
    environments,
    events: (): readonly FlagEvent[] => events,
    revision: () => lastId,
    list: (project?: string) =>
      [...features.values()].filter((one) => project === undefined || one.project === project),
    get,
    at,
    addStrategy,
    create(
      project: string,
      wanted: { name: string; type?: string; description?: string | null },
      by: FlagToken,
    ): Feature {
      if (features.has(wanted.name))
        throw new FlagError(409, "NameExistsError", "A flag with that name already exists");
      const feature: Feature = {
        name: wanted.name,
        description: wanted.description ?? null,
        type: wanted.type ?? "release",
        project,
        createdAt: new Date(now()).toISOString(),
        environments: new Map(environments.map((name) => [name, { enabled: false, strategies: [] }])),
      };
      features.set(feature.name, feature);
      note("feature-created", by, feature, null, createdView(feature));
      return feature;
    },
    /** Switching to what it already is changes nothing and is no event, as in Unleash. */
    toggle(project: string, name: string, environment: string, enabled: boolean, by: FlagToken): void {
      const { feature, state } = at(project, name, environment);
      if (state.enabled === enabled) return;
      if (enabled && state.strategies.length === 0) addStrategy(project, name, environment, {}, by);
      state.enabled = enabled;
      note(`feature-environment-${enabled ? "enabled" : "disabled"}`, by, feature, environment, null);
    },
  };
}

/** A flag as the answer to its creation and the event about it show it. */
export function createdView({ name, description, type, project, createdAt }: Feature) {
  const fresh = { stale: false, lastSeenAt: null, impressionData: false, archived: false };
  return { name, description, type, project, createdAt, ...fresh };
}

export type FlagStore = ReturnType<typeof createFlagStore>;
