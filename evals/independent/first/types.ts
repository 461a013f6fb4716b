// The words that the generator's parts share: the simulated world (services, calls between them, outside
// dependencies), what changes in it (changes and the effects they or the environment have), and what one simulated
// moment of a service looks like before anybody measures it.

export type Tier = "edge" | "api" | "domain" | "leaf" | "store";
export type Lang = "java" | "go" | "python" | "node" | "dotnet" | "sql";

export type Service = {
  name: string;
  namespace: string;
  tier: Tier;
  lang: Lang;
  criticality: "low" | "medium" | "high" | "critical";
  revenue?: number;
  /** Median and log-spread of the service's own work, without what it waits for. */
  base50: number;
  sigma: number;
  /** Requests a second at which one would be fully busy. */
  capacity: number;
  baseErr: number;
  mem: number;
  pods: number;
  version: string;
  routes: { route: string; share: number }[];
};

export type Call = {
  from: string;
  to: string;
  /** Calls for each request of the caller; below one: the share of requests that calls at all. */
  fan: number;
  /** The share of failed calls that fail the request, too (a soft dependency has little). */
  weight: number;
  timeout: number;
  retries: number;
  /** Connections to a store, and the share of reads that a cache answers. */
  pool?: number;
  cacheHit?: number;
};

export type World = {
  services: Service[];
  calls: Call[];
  externals: { name: string; base50: number; sigma: number; err: number }[];
  entries: { service: string; rate: number }[];
  /** Callers before callees. */
  order: string[];
  /** How clients react to errors: below 0 they leave, above 0 they press reload. */
  userReaction: number;
  season: { amplitude: number; peakHour: number; second: number; weekend: number };
};

export type Effect = {
  err?: number;
  /** Errors come quickly (refused, thrown at once) and shorten the median. */
  fast?: boolean;
  route?: string;
  latMul?: number;
  latAdd?: number;
  /** The share of requests that takes the slow path. */
  slowShare?: number;
  cpuMul?: number;
  capMul?: number;
  fan?: Record<string, number>;
  timeout?: Record<string, number>;
  retries?: Record<string, number>;
  poolMul?: number;
  cacheHit?: number;
  /** Memory that each pod gains a minute, as a ratio of its limit. */
  leak?: number;
  memAdd?: number;
  /** Pods that fail their health check all the time. */
  unready?: number;
  trafficMul?: number;
};

export type Mod = {
  /** The service, or the name of an external. */
  on: string;
  /** The change that switches it on; none for what nobody did. */
  cause?: string;
  /** A deploy's effect lives in its own version's pods alone. */
  deploy?: string;
  effect: Effect;
  share: (t: number) => number;
  gain: (t: number) => number;
};

export type Change = {
  id: string;
  kind: "deploy" | "flag" | "config" | "migration";
  service: string;
  from: string;
  to: string;
  started: number;
  finished: number;
  source: string;
  reversible: boolean;
  author?: string;
  commit?: string;
  diff?: { files: number; insertions: number; deletions: number };
  flag?: string;
  canary?: number;
  provides?: Record<string, string>;
  requires?: Record<string, string>;
  /** For a deploy: share of traffic on the new version. Not written. */
  rollout?: (t: number) => number;
};

export type Cohort = { version: string; share: number; err: number; p50: number; p99: number };

export type Moment = {
  rate: number;
  err: number;
  p50: number;
  p99: number;
  cpu: number;
  mem: number;
  unready: number;
  restarts: number;
  pool: number;
  hit: number;
  /** Where failures come from: the service itself, or the called one by name. */
  blame: Record<string, number>;
  cohorts: Cohort[];
  badRoute: string | null;
  routeErr: number;
};

export type Truth = {
  faulty: boolean;
  action: string;
  acceptable: string[];
  culprit: string | null;
  targets: string[];
  onset: number | null;
  family: string;
  why: string;
  approval?: string;
};
