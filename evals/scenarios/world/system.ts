import type { Draw } from "../draw.ts";
import type { Call, Level, ServiceModel, SystemModel, Tier, Traffic } from "./model.ts";

/**
 * A random system of services. Ranges and where they come from:
 * - Shares of entry, leaf and middle services 13/39/48 %: Winchester et al., "Complexity at Scale" (arXiv 2504.13141),
 *   table 1, Alibaba 2022. Call graphs are heavy-tailed trees with shared hot spots: Luo et al., SoCC 2021 (Alibaba).
 * - 5 to 40 services, stores and externals included: the public testbeds from Hotel Reservation (9) over Online Boutique (11) to Train Ticket and PetShop
 *   (41): Gan et al. (DeathStarBench, ASPLOS 2019), Pham et al. (RCAEval, WWW 2025), Hardt et al. (PetShop, CLeaR 2024).
 * - Counts vary more than Poisson's: per-second HTTP request counts fit a Pólya–Aeppli law (users Poisson, requests of a
 *   user geometric), whose variance over mean is (1+r)/(1−r); a handful of requests a visit, seen by one service, gives 1 to 4.
 * - At most three attempts a call: Beyer et al., "Site Reliability Engineering", ch. 21 (per-request retry budget).
 * - Target utilisation 20 to 55 %: the range that autoscalers are set to; Luo et al. report most containers below half.
 */

const NAMES = [
  "web gateway mobile-bff partner-api checkout cart catalog search pricing inventory orders payments shipping accounts auth",
  "reviews recommend notify promotions wishlist sessions profile tax fraud-check ledger loyalty media ads feed chat",
  "geo quotes billing-export invoices returns warehouse suppliers content ratings stock-sync labels vouchers experiments audit-log",
  "subscriptions identity preferences delivery-slots images translations suggestions basket-merge email-render",
].flatMap((line) => line.split(" "));
const STORES = ["orders-db", "users-db", "catalog-db", "session-cache", "ledger-db", "search-index"];
const EXTERNALS = ["stripe", "sendgrid", "maps-api", "tax-provider", "object-storage", "sms-gateway"];
const LEVELS: readonly Level[] = ["low", "medium", "medium", "high", "critical"];

export interface SystemWishes {
  readonly services?: readonly [low: number, high: number];
  readonly entryRate?: readonly [low: number, high: number];
  readonly external?: boolean;
  readonly store?: boolean;
  readonly queue?: boolean;
  readonly daily?: Traffic["daily"];
  /** Share of capacity used at the daily mean: less where a peak is planned for. */
  readonly utilisation?: readonly [low: number, high: number];
}

/** Draws a system. Every service is reached from an entry, and calls make no cycle: services stand callers first. */
export function drawSystem(draw: Draw, wishes: SystemWishes = {}): SystemModel {
  const [fewest, most] = wishes.services ?? [5, 35];
  const count = Math.round(draw.logUniform(fewest, most + 0.49));
  const names = [...NAMES.slice(0, 2), ...draw.shuffle(NAMES.slice(2))].slice(0, count);
  const stores =
    (wishes.store ?? draw.chance(0.8))
      ? draw.shuffle(STORES).slice(0, draw.integer(1, Math.max(1, Math.min(3, count / 6))))
      : [];
  const externals = (wishes.external ?? draw.chance(0.5)) ? draw.shuffle(EXTERNALS).slice(0, draw.integer(1, 2)) : [];
  const layers = layersOf(draw, names);
  const links = linksOf(draw, layers, stores, externals);
  const queues = draw.chance(0.5);
  const calls = links.map(([caller, callee]) =>
    drawCall(draw, caller, callee, [...stores, ...externals], wishes.queue ?? queues),
  );
  const entryRate = wishes.entryRate ?? [8, 250];
  const entries = new Set(layers[0]);
  const direct = new Map(names.map((name) => [name, entries.has(name) ? draw.logUniform(...entryRate) : 0]));
  const order = [...layers.flat(), ...stores, ...externals];
  const expected = expectedRates(order, calls, direct);
  const tierOf = (name: string): Tier =>
    externals.includes(name)
      ? "external"
      : stores.includes(name)
        ? "store"
        : entries.has(name)
          ? "entry"
          : calls.some(({ caller }) => caller === name)
            ? "middle"
            : "leaf";
  const services = order.map((name) =>
    drawService(draw, name, tierOf(name), direct.get(name) ?? 0, expected.get(name) ?? 0, wishes),
  );
  return { services, calls: withTimeouts(draw, services, calls), traffic: drawTraffic(draw, wishes.daily ?? null) };
}

/** Entries, then one to three layers of middles, then leaves. */
function layersOf(draw: Draw, names: readonly string[]): string[][] {
  const entries = Math.max(1, Math.round(0.13 * names.length));
  const leaves = Math.max(1, Math.round(0.39 * names.length));
  const middles = names.slice(entries, names.length - leaves);
  const depth = Math.max(1, Math.min(draw.integer(1, 3), middles.length));
  const layers: string[][] = Array.from({ length: depth }, () => []);
  for (const [index, name] of middles.entries()) layers[index < depth ? index : draw.integer(0, depth - 1)]?.push(name);
  return [names.slice(0, entries), ...layers.filter((layer) => layer.length > 0), names.slice(names.length - leaves)];
}

/** Every service gets a caller from a layer above; some get more, stores the most: the hot spots. */
function linksOf(
  draw: Draw,
  layers: readonly (readonly string[])[],
  stores: readonly string[],
  externals: readonly string[],
) {
  const links = new Map<string, readonly [string, string]>();
  const link = (caller: string, callee: string) => links.set(`${caller}>${callee}`, [caller, callee]);
  for (const [index, layer] of layers.entries()) {
    if (index === 0) continue;
    const above = layers.slice(0, index).flat();
    const near = layers[index - 1] ?? above;
    for (const callee of layer) {
      link(draw.pick(near), callee);
      for (let more = Math.min(above.length - 1, Math.floor(draw.exponential(0.9))); more > 0; more--)
        link(draw.pick(above), callee);
    }
  }
  const inner = layers.slice(1).flat();
  for (const store of stores)
    for (const caller of draw.shuffle(inner).slice(0, draw.integer(2, 6))) link(caller, store);
  for (const external of externals)
    for (const caller of draw.shuffle(inner).slice(0, draw.integer(1, 3))) link(caller, external);
  return [...links.values()];
}

function drawCall(draw: Draw, caller: string, callee: string, sinks: readonly string[], queues: boolean): Call {
  const queue = queues && !sinks.includes(callee) && draw.chance(0.15);
  return {
    caller,
    callee,
    perRequest: Math.min(3, Math.max(0.02, Math.exp(draw.normal() * 0.8 - 0.4))),
    timeoutMs: 0,
    attempts: draw.chance(0.45) ? draw.integer(2, 3) : 1,
    fallback: draw.chance(0.3) ? draw.uniform(0.3, 0.95) : 0,
    lagSeconds: draw.chance(0.5) ? 0 : draw.uniform(3, 25),
    queue,
  };
}

function expectedRates(order: readonly string[], calls: readonly Call[], direct: ReadonlyMap<string, number>) {
  const rates = new Map(direct);
  for (const name of order)
    for (const call of calls)
      if (call.caller === name)
        rates.set(call.callee, (rates.get(call.callee) ?? 0) + (rates.get(name) ?? 0) * call.perRequest);
  return rates;
}

function drawService(
  draw: Draw,
  name: string,
  tier: Tier,
  directRate: number,
  expectedRate: number,
  wishes: SystemWishes,
): ServiceModel {
  const store = tier === "store";
  return {
    name,
    namespace: store ? "data" : "production",
    tier,
    criticality: tier === "entry" ? draw.pick(["high", "critical"]) : draw.pick(LEVELS),
    revenuePerMinute: draw.chance(0.4) ? Math.round(draw.logUniform(20, 5000)) : null,
    directRate,
    expectedRate,
    pods: Math.max(2, Math.min(24, Math.round(expectedRate / draw.logUniform(5, 40)))),
    utilisation: draw.uniform(...(wishes.utilisation ?? [0.2, 0.55])),
    ownMedianMs: store
      ? draw.logUniform(1, 8)
      : tier === "external"
        ? draw.logUniform(60, 300)
        : draw.logUniform(4, 80),
    tail: draw.uniform(0.45, 1.0),
    baseError: draw.chance(0.15) ? 0 : draw.logUniform(0.0001, 0.006),
    dispersion: draw.uniform(1, 4),
    wander: { latency: draw.uniform(0.015, 0.07), errors: draw.uniform(0.08, 0.35), seconds: draw.logUniform(30, 600) },
    idleCpu: draw.uniform(0.02, 0.1),
    memory: draw.uniform(0.25, 0.65),
    cached: draw.chance(0.25),
    warmUp: {
      seconds: draw.uniform(15, 60),
      factor: draw.uniform(1.1, 1.8),
      resets: draw.chance(0.3) ? draw.uniform(0.001, 0.006) : 0,
    },
    version: { major: draw.integer(1, 5), minor: draw.integer(3, 60) },
  };
}

/** A timeout is some multiple of the callee's usual 99th percentile, rounded to what people write. */
function withTimeouts(draw: Draw, services: readonly ServiceModel[], calls: readonly Call[]): readonly Call[] {
  const usual = new Map<string, number>();
  for (const service of services.toReversed()) {
    const below = calls.filter(({ caller }) => caller === service.name).map(({ callee }) => usual.get(callee) ?? 0);
    usual.set(service.name, service.ownMedianMs * Math.exp(2.326 * service.tail) + 0.7 * Math.max(0, ...below));
  }
  const written = [250, 500, 1000, 2000, 3000, 5000, 10_000, 30_000];
  return calls.map((call) => {
    const wanted = (usual.get(call.callee) ?? 0) * draw.logUniform(3, 12);
    return { ...call, timeoutMs: written.find((ms) => ms >= wanted) ?? 30_000 };
  });
}

function drawTraffic(draw: Draw, daily: Traffic["daily"]): Traffic {
  return {
    dailySwing: draw.uniform(0.15, 0.55),
    peakHour: draw.uniform(11, 21),
    weekend: draw.uniform(0.55, 1.1),
    wander: { spread: draw.uniform(0.02, 0.08), seconds: draw.logUniform(90, 1200) },
    burstsPerHour: draw.chance(0.3) ? draw.uniform(0.3, 2) : 0,
    daily,
  };
}
