// Builds the production systems that the incidents happen in: a dozen lines of business with their own service names,
// a layered call graph with shared stores and outside dependencies, and for each service its speed, its capacity for
// the load that it normally sees, its usual share of errors, its routes and its version scheme.
import type { Rng } from "./rng.ts";
import type { Call, Lang, Service, Tier, World } from "./types.ts";

type Domain = {
  edge: string[];
  api: string[];
  domain: string[];
  leaf: string[];
  store: string[];
  ext: string[];
  routes: string[];
};

const DOMAINS: Domain[] = [
  {
    edge: ["rider-bff", "driver-bff", "ops-console"],
    api: ["trips", "matching", "fares", "fleet"],
    domain: ["eta", "geofence", "surge-pricing", "driver-state", "promo", "receipts", "heatmap"],
    leaf: ["identity", "map-tiles", "device-push", "ledger", "audit-trail"],
    store: ["trips-pg", "geo-redis"],
    ext: ["cardnet", "sms-carrier", "weather-feed"],
    routes: ["/v1/trips", "/v1/quote", "/v1/trips/{id}/cancel", "/v1/me"],
  },
  {
    edge: ["tv-edge", "mobile-edge", "partner-edge"],
    api: ["playback", "browse", "profiles", "billing-api"],
    domain: ["manifest", "drm-license", "continue-watching", "artwork", "entitlement", "rails", "subtitles"],
    leaf: ["account-core", "title-metadata", "session-store", "experiment-svc", "geoip"],
    store: ["titles-cassandra", "viewing-pg"],
    ext: ["cdn-a", "app-store-receipts", "ad-exchange"],
    routes: ["/play", "/home", "/search", "/profile"],
  },
  {
    edge: ["netbank", "branch-gw", "open-banking-gw"],
    api: ["transfers", "cards", "statements", "onboarding"],
    domain: ["limits", "fraud-score", "fx-rates", "standing-orders", "dispute", "kyc", "fee-engine"],
    leaf: ["customer-master", "consent", "gl-posting", "notifier", "doc-archive"],
    store: ["core-oracle", "consent-pg"],
    ext: ["swift-bridge", "credit-bureau", "card-scheme"],
    routes: ["/transfers", "/accounts", "/cards/{id}/freeze", "/statements"],
  },
  {
    edge: ["shipper-portal", "track-web", "courier-app-gw"],
    api: ["bookings", "tracking", "rates", "manifests"],
    domain: ["route-planner", "customs", "label-render", "slotting", "dock-schedule", "claims", "address-check"],
    leaf: ["party-registry", "event-hub", "tariff-tables", "scan-ingest", "mailer"],
    store: ["shipments-mysql", "events-mongo"],
    ext: ["customs-edi", "postcode-api", "fuel-index"],
    routes: ["/bookings", "/track/{no}", "/quotes", "/labels"],
  },
  {
    edge: ["app-web", "public-api", "webhooks-in"],
    api: ["projects", "documents", "search-api", "workspace"],
    domain: ["comments", "permissions", "export", "automation", "mentions", "billing", "templates", "realtime"],
    leaf: ["users", "blob-proxy", "indexer-query", "feature-config", "mail-out"],
    store: ["main-postgres", "search-es", "sessions-redis"],
    ext: ["oauth-idp", "stripe-like", "mail-relay"],
    routes: ["/api/projects", "/api/docs/{id}", "/api/search", "/api/me"],
  },
  {
    edge: ["patient-portal", "clinic-desk", "lab-link"],
    api: ["appointments", "records", "orders-rx", "messages"],
    domain: ["eligibility", "scheduling", "results", "formulary", "claims-prep", "consent-mgr", "triage"],
    leaf: ["person-index", "terminology", "audit", "attachments", "outbox"],
    store: ["emr-sqlserver", "docs-s3gw"],
    ext: ["insurer-hub", "pharmacy-net", "fax-bridge"],
    routes: ["/appointments", "/records", "/rx", "/inbox"],
  },
  {
    edge: ["game-gw", "lobby-edge", "store-edge"],
    api: ["matchmaker", "inventory-api", "social", "shop"],
    domain: ["party", "skill-rating", "loot", "guilds", "presence", "leaderboard", "season-pass", "chat-relay"],
    leaf: ["player-core", "entitle", "telemetry-in", "wallet", "moderation"],
    store: ["players-dynamo", "ranks-redis"],
    ext: ["console-auth", "pay-aggregator", "voice-vendor"],
    routes: ["/match", "/inventory", "/friends", "/shop/buy"],
  },
  {
    edge: ["hotel-web", "agent-api", "meta-feed"],
    api: ["availability", "reservation", "property", "offers"],
    domain: ["rate-engine", "allotment", "reviews-read", "loyalty", "tax-calc", "photo-svc", "cancellation"],
    leaf: ["guest-profile", "currency", "content-cms", "channel-sync", "mailing"],
    store: ["booking-pg", "rates-aerospike"],
    ext: ["gds-link", "acquirer", "geo-lookup"],
    routes: ["/search", "/book", "/property/{id}", "/offers"],
  },
];

const LANGS: readonly (readonly [Lang, number])[] = [
  ["java", 4],
  ["go", 4],
  ["node", 3],
  ["python", 3],
  ["dotnet", 1],
];

export type VersionStyle = "semver" | "semver-bare" | "date" | "sha" | "build";

export function firstVersion(rng: Rng, style: VersionStyle): string {
  if (style === "semver") return `v${rng.int(1, 6)}.${rng.int(0, 60)}.${rng.int(0, 9)}`;
  if (style === "semver-bare") return `${rng.int(0, 12)}.${rng.int(0, 80)}.${rng.int(0, 20)}`;
  if (style === "date")
    return `2025.${String(rng.int(1, 12)).padStart(2, "0")}.${String(rng.int(1, 28)).padStart(2, "0")}-${rng.int(1, 4)}`;
  if (style === "sha") return rng.hex(7);
  return `build-${rng.int(1200, 9800)}`;
}

export function nextVersion(rng: Rng, style: VersionStyle, from: string, at: number): string {
  if (style === "sha") return rng.hex(7);
  if (style === "build") return `build-${Number(from.slice(6)) + rng.int(1, 14)}`;
  if (style === "date") {
    const day = new Date(at * 1000).toISOString().slice(0, 10).replaceAll("-", ".");
    return from.startsWith(day) ? `${day}-${Number(from.split("-")[1]) + 1}` : `${day}-${rng.int(1, 2)}`;
  }
  const [major, minor, patch] = from.replace("v", "").split(".").map(Number) as [number, number, number];
  const v = rng.chance(0.3) ? `${major}.${minor}.${patch + 1}` : `${major}.${minor + 1}.0`;
  return style === "semver" ? `v${v}` : v;
}

export type WorldOptions = { rate?: number; style: VersionStyle; namespace: string; small?: boolean };

export function buildWorld(rng: Rng, o: WorldOptions): World {
  const d = rng.pick(DOMAINS);
  const rate = o.rate ?? rng.logUniform(1.5, 2000);
  const take = (names: string[], lo: number, hi: number) =>
    rng.shuffle(names).slice(0, rng.int(lo, Math.min(hi, names.length)));
  const layers: Record<Tier, string[]> = {
    edge: take(d.edge, 1, o.small ? 1 : 3),
    api: take(d.api, 2, o.small ? 2 : 4),
    domain: take(d.domain, 3, o.small ? 4 : 7),
    leaf: take(d.leaf, 2, o.small ? 3 : 5),
    store: take(d.store, 1, d.store.length),
  };
  const services: Service[] = [];
  for (const tier of ["edge", "api", "domain", "leaf", "store"] as const)
    for (const name of layers[tier]) services.push(service(rng, name, tier, o, d));

  const calls: Call[] = [];
  const link = (from: string, to: string, fan: number) => {
    if (calls.some((c) => c.from === from && c.to === to)) return;
    calls.push({
      from,
      to,
      fan,
      weight: 1,
      timeout: rng.pick([1000, 2000, 2500, 3000, 5000]),
      retries: rng.weighted([
        [0, 5],
        [1, 3],
        [2, 2],
      ]),
    });
  };
  for (const e of layers.edge) for (const a of layers.api) if (rng.chance(0.75)) link(e, a, rng.uniform(0.15, 0.8));
  for (const a of layers.api) {
    if (!calls.some((c) => c.to === a)) link(rng.pick(layers.edge), a, rng.uniform(0.3, 0.8));
    for (const x of rng.shuffle(layers.domain).slice(0, rng.int(1, 3))) link(a, x, rng.uniform(0.3, 1.3));
  }
  for (const x of layers.domain) {
    if (!calls.some((c) => c.to === x)) link(rng.pick(layers.api), x, rng.uniform(0.3, 1));
    for (const l of rng.shuffle(layers.leaf).slice(0, rng.int(0, 2))) link(x, l, rng.uniform(0.3, 1.2));
  }
  for (const l of layers.leaf)
    if (!calls.some((c) => c.to === l)) link(rng.pick([...layers.domain, ...layers.api]), l, rng.uniform(0.3, 1));
  for (const s of layers.store) {
    const users = rng.shuffle([...layers.domain, ...layers.leaf, ...layers.api]).slice(0, rng.int(3, 5));
    for (const u of users) link(u, s, rng.uniform(0.6, 2.2));
  }
  for (const c of calls) {
    if (layers.store.includes(c.to)) {
      c.retries = rng.chance(0.3) ? 1 : 0;
      c.timeout = rng.pick([2000, 3000, 5000]);
      c.weight = rng.uniform(0.9, 1);
      c.pool = 1; // sized below
      if (rng.chance(0.35)) c.cacheHit = rng.uniform(0.75, 0.95);
    } else if (rng.chance(0.15))
      c.weight = rng.uniform(0, 0.12); // a soft dependency with a fallback
    else c.weight = rng.uniform(0.7, 1);
  }
  for (const e of layers.edge)
    if (!calls.some((c) => c.from === e)) link(e, rng.pick(layers.api), rng.uniform(0.4, 0.8));

  const externals = rng
    .shuffle(d.ext)
    .slice(0, rng.int(1, 3))
    .map((name) => ({
      name,
      base50: rng.uniform(40, 180),
      sigma: rng.uniform(0.4, 0.7),
      err: rng.logUniform(0.0005, 0.004),
    }));
  for (const x of externals) {
    const user = rng.pick([...layers.domain, ...layers.leaf]);
    calls.push({
      from: user,
      to: x.name,
      fan: rng.uniform(0.25, 0.9),
      weight: rng.uniform(0.8, 1),
      timeout: rng.pick([2000, 3000, 5000]),
      retries: rng.chance(0.4) ? 1 : 0,
    });
  }

  const shares = layers.edge.map(() => rng.uniform(0.4, 1.4));
  const total = shares.reduce((a, b) => a + b, 0);
  const world: World = {
    services,
    calls,
    externals,
    entries: layers.edge.map((s, i) => ({ service: s, rate: (rate * (shares[i] as number)) / total })),
    order: services.map((s) => s.name),
    userReaction: rng.uniform(-0.3, 0.15),
    season: {
      amplitude: rng.uniform(0.15, 0.65),
      peakHour: rng.uniform(0, 24),
      second: rng.uniform(0, 0.15),
      weekend: rng.uniform(0.65, 1.25),
    },
  };
  size(rng, world);
  return world;
}

function service(rng: Rng, name: string, tier: Tier, o: WorldOptions, d: Domain): Service {
  const store = tier === "store";
  const routes: { route: string; share: number }[] = [];
  if (tier === "edge" || (tier === "api" && rng.chance(0.5))) {
    const names = rng.shuffle(d.routes).slice(0, rng.int(2, 4));
    const w = names.map(() => rng.uniform(0.2, 1));
    const sum = w.reduce((a, b) => a + b, 0);
    for (const [i, route] of names.entries()) routes.push({ route, share: (w[i] as number) / sum });
  }
  return {
    name,
    namespace: store ? "data" : o.namespace,
    tier,
    lang: store ? "sql" : rng.weighted(LANGS),
    criticality:
      tier === "edge"
        ? rng.pick(["high", "critical"] as const)
        : rng.weighted([
            ["low", 1],
            ["medium", 4],
            ["high", 3],
            ["critical", 1],
          ] as const),
    ...(tier === "edge" && rng.chance(0.4) ? { revenue: Math.round(rng.logUniform(20, 4000)) } : {}),
    base50: store ? rng.logUniform(0.8, 6) : tier === "edge" ? rng.logUniform(4, 20) : rng.logUniform(4, 70),
    sigma: rng.uniform(0.45, 0.85),
    capacity: 1,
    baseErr: store ? rng.logUniform(0.00002, 0.0004) : rng.logUniform(0.0003, 0.006),
    mem: rng.uniform(0.3, 0.65),
    pods: store ? rng.int(1, 3) : rng.int(2, 12),
    version: firstVersion(rng, o.style),
    routes,
  };
}

/** Load at the season's mean, and from it capacities and connection pools that fit it. */
export function meanLoad(world: World): Record<string, number> {
  const load: Record<string, number> = {};
  for (const e of world.entries) load[e.service] = e.rate;
  for (const name of world.order)
    for (const c of world.calls) if (c.from === name) load[c.to] = (load[c.to] ?? 0) + (load[name] ?? 0) * c.fan;
  return load;
}

function size(rng: Rng, world: World): void {
  const load = meanLoad(world);
  for (const s of world.services) {
    const peak = (load[s.name] ?? 0.1) * (1 + world.season.amplitude);
    s.capacity = Math.max(peak / rng.uniform(0.38, 0.62), 0.5);
  }
  for (const c of world.calls) {
    if (!c.pool) continue;
    const s = world.services.find((x) => x.name === c.to) as Service;
    const busy = ((load[c.from] ?? 0.1) * c.fan * (1 + world.season.amplitude) * s.base50 * 1.6) / 1000;
    c.pool = Math.max(4, Math.ceil(busy / rng.uniform(0.2, 0.4)));
  }
}

export function callersOf(world: World, name: string): string[] {
  return world.calls.filter((c) => c.to === name).map((c) => c.from);
}

export function below(world: World, name: string): Set<string> {
  const seen = new Set<string>();
  const walk = (n: string) => {
    for (const c of world.calls) {
      if (c.from !== n || seen.has(c.to)) continue;
      seen.add(c.to);
      walk(c.to);
    }
  };
  walk(name);
  return seen;
}

export function above(world: World, name: string): Set<string> {
  const seen = new Set<string>();
  const walk = (n: string) => {
    for (const c of world.calls) {
      if (c.to !== n || seen.has(c.from)) continue;
      seen.add(c.from);
      walk(c.from);
    }
  };
  walk(name);
  return seen;
}
