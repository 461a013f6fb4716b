/*
 * Words for the independent incident generator: what services, stores and outside providers are called in various trades, and how
 * versions, changes and people are named in various installations. Nothing here has any influence on what goes wrong.
 */
import type { Rng } from "./random.ts";

export interface Trade {
  entry: string[];
  core: string[];
  leaf: string[];
  worker: string[];
  store: string[];
  outside: string[];
  goal: string;
}

export const trades: Trade[] = [
  {
    entry: ["storefront", "mobile-bff"],
    core: ["trip-search", "fare-engine", "booking", "seat-map", "ancillaries", "loyalty"],
    leaf: ["geo", "currency", "traveller-profile", "ticketing", "fare-rules", "availability"],
    worker: ["itinerary-writer", "fare-indexer"],
    store: ["booking-pg", "fares-redis"],
    outside: ["sabre-gds", "adyen"],
    goal: "bookings_per_minute",
  },
  {
    entry: ["player-edge", "tv-gateway"],
    core: ["playback", "home-rows", "entitlement", "watchlist", "title-search", "resume-points"],
    leaf: ["drm-license", "artwork", "manifest", "subtitles", "geo-policy", "profiles"],
    worker: ["view-events", "thumbnailer"],
    store: ["catalogue-cassandra", "session-redis"],
    outside: ["fastly-cdn", "widevine"],
    goal: "play_starts_per_minute",
  },
  {
    entry: ["retail-web", "open-banking-gw"],
    core: ["transfers", "statements", "cards", "onboarding", "lending", "standing-orders"],
    leaf: ["ledger", "limits", "fraud-score", "iban-check", "customer-master", "fx"],
    worker: ["posting-consumer", "notifier"],
    store: ["ledger-oracle", "limits-redis"],
    outside: ["swift-alliance", "experian"],
    goal: "transfers_per_minute",
  },
  {
    entry: ["eater-app-api", "courier-app-api"],
    core: ["basket", "dispatch", "menu", "promos", "eta", "restaurant-feed"],
    leaf: ["routing", "tax", "addresses", "couriers", "ratings", "price-book"],
    worker: ["order-events", "push-sender"],
    store: ["orders-mysql", "geo-redis"],
    outside: ["google-maps", "stripe"],
    goal: "orders_per_minute",
  },
  {
    entry: ["console", "ingest-api"],
    core: ["query", "dashboards", "alert-rules", "workspace", "export", "annotations"],
    leaf: ["tenant-config", "quota", "identity", "schema-registry", "labels", "audit"],
    worker: ["rollup", "compactor"],
    store: ["meta-postgres", "clickhouse"],
    outside: ["okta", "slack-api"],
    goal: "ingested_rows",
  },
  {
    entry: ["parcel-web", "carrier-hub"],
    core: ["shipment", "tracking", "label-print", "rates", "pickup", "returns"],
    leaf: ["zones", "depot", "customs", "address-book", "tariff", "barcode"],
    worker: ["scan-ingest", "eta-recompute"],
    store: ["shipment-pg", "scan-dynamo"],
    outside: ["usps-api", "here-geocoder"],
    goal: "labels_per_minute",
  },
  {
    entry: ["lobby", "game-api"],
    core: ["matchmaking", "inventory-items", "shop", "clans", "leaderboard", "quests"],
    leaf: ["wallet", "presence", "anti-cheat", "player-data", "loot", "region-map"],
    worker: ["telemetry-sink", "replay-encoder"],
    store: ["player-aerospike", "shop-pg"],
    outside: ["steam-web-api", "xsolla"],
    goal: "matches_started",
  },
  {
    entry: ["patient-portal", "clinic-gw"],
    core: ["appointments", "records", "prescriptions", "billing", "referrals", "messaging"],
    leaf: ["practitioners", "consent", "codes", "insurance", "facilities", "documents"],
    worker: ["hl7-consumer", "reminder-sender"],
    store: ["records-mssql", "cache-redis"],
    outside: ["clearinghouse", "twilio"],
    goal: "appointments_booked",
  },
];

export const small: Trade = {
  entry: ["app", "api"],
  core: ["accounts", "invoices", "reports", "webhooks", "uploads"],
  leaf: ["auth", "pdf", "mail", "search"],
  worker: ["jobs"],
  store: ["main-db", "redis"],
  outside: ["s3", "postmark"],
  goal: "invoices_sent",
};

export type NameStyle = "plain" | "api" | "svc" | "pascal" | "snake";

export function styled(name: string, style: NameStyle): string {
  const parts = name.split("-");
  switch (style) {
    case "plain":
      return name;
    case "api":
      return `${name}-svc`;
    case "svc":
      return `svc-${name}`;
    case "pascal":
      return `${parts.map((p) => p.charAt(0).toUpperCase() + p.slice(1)).join("")}Service`;
    case "snake":
      return parts.join("_");
  }
}

export type VersionStyle = "semver" | "vsemver" | "calver" | "sha" | "build" | "image";

/** Returns a function that names the next version of one service. */
export function versions(rng: Rng, style: VersionStyle, day: (t: number) => string): (t: number) => string {
  let major = rng.int(0, 7);
  let minor = rng.int(0, 60);
  let patch = rng.int(0, 12);
  let build = rng.int(300, 9000);
  let lastDay = "";
  let nth = 0;
  return (t) => {
    switch (style) {
      case "semver":
      case "vsemver": {
        const p = rng.next();
        if (p < 0.55) patch++;
        else if (p < 0.97) {
          minor++;
          patch = 0;
        } else {
          major++;
          minor = 0;
          patch = 0;
        }
        return `${style === "vsemver" ? "v" : ""}${major}.${minor}.${patch}`;
      }
      case "calver": {
        const d = day(t);
        nth = d === lastDay ? nth + 1 : 1;
        lastDay = d;
        return `${d}.${nth}`;
      }
      case "sha":
        return rng.hex(7);
      case "build":
        build += rng.int(1, 9);
        return `build-${build}`;
      case "image":
        build += rng.int(1, 5);
        return `main-${build}-${rng.hex(8)}`;
    }
  };
}

export const people = [
  "m.okafor",
  "jlindqvist",
  "tanaka",
  "s.romero",
  "priya.n",
  "dgrant",
  "helene",
  "wkowalski",
  "bot-renovate",
  "ci",
  "aoife",
  "l.marchetti",
];
export const deploySources = [
  "argocd",
  "github-actions",
  "spinnaker",
  "flux",
  "gitlab-ci",
  "jenkins",
  "octopus",
  "harness",
  "kubectl",
];
export const flagSources = ["launchdarkly", "unleash", "flagsmith", "split", "configcat", "homegrown-flags"];
export const configSources = ["consul", "argocd", "terraform", "aws-appconfig", "helm", "etcd"];
export const migrationSources = ["flyway", "liquibase", "alembic", "rails", "gh-ost", "atlas"];

export const flagNames = [
  "new-pricing-path",
  "async-writes",
  "use_v2_client",
  "bulk-endpoint",
  "ff_smart_ranking",
  "parallel-fetch",
  "instant-refunds",
  "grpc-transport",
  "lazy-images",
  "enable_shadow_reads",
  "one-click",
  "redesign-2026",
];

export const migrationNames = [
  "add_index_customer_ref",
  "drop_column_legacy_state",
  "widen_amount_to_numeric",
  "split_address_table",
  "backfill_tenant_id",
  "not_null_on_channel",
  "rename_status_enum",
  "partition_events",
];

/** Ordinary chatter, `[level, text]`; `#` is a number, `@` an id, `~` a duration. */
export const chatter: [string, string][] = [
  ["info", "GET /v1/items/@ 200 ~ms"],
  ["info", "handled request @ in ~ms"],
  ["info", "pool stats active=# idle=#"],
  ["info", "refreshed configuration, # keys"],
  ["info", "lease renewed for worker #"],
  ["debug", "cache lookup key=@ hit=true"],
  ["info", "scheduled task cleanup finished, # rows"],
  ["warn", "slow statement: ~ms (threshold 250ms)"],
  ["warn", "client disconnected before the response was written, request @"],
  ["warn", "deprecated field 'locale' used by client #"],
  ["info", "token for subject @ renewed"],
  ["error", "validation failed for request @: field 'phone' is not a phone number"],
  ["error", "user @ not permitted: missing scope read:#"],
  ["warn", "rate limit near for key @: # of 1000"],
  ["info", "gc pause ~ms"],
  ["error", "broken pipe while writing to client @"],
];

export function fill(rng: Rng, text: string): string {
  return text
    .replace(/#/g, () => String(rng.int(1, 900)))
    .replace(/@/g, () => rng.hex(8))
    .replace(/~/g, () => String(rng.int(2, 480)));
}
