import { createHash } from "node:crypto";
import { REPORTS } from "./reports.ts";
import type { CallCode, ImageManifest, Quirk, RouteCode } from "./service/manifest.ts";

/** Where the sandbox's services run. */
export const NAMESPACE = "production";

/** Called by payments, run by somebody else: no metrics, no spans, no rollback. */
export const EXTERNAL = "bank";

/** Versions that serve well, oldest first; the last one runs when the sandbox is steady. */
export const GOOD_VERSIONS = ["1.0.0", "1.1.0"] as const;
export const CURRENT_VERSION = "1.1.0";
/** The next build of any service; how it behaves depends on what was pushed. */
export const NEXT_VERSION = "1.2.0";

/** Twice what a Node process that serves well holds (about 75 MiB): near enough that a leak gets there in a minute. */
export const MEMORY_LIMIT_MIB = 144;

/** The Deployment of a service's canary, beside that of the stable version; its pods share the service's traffic. */
export const canaryName = (service: string): string => `${service}-canary`;

/** The flag that guards checkout's new code path, and the Unleash project and environment that it lives in. */
export const FLAG = { name: "express-checkout", project: "default", environment: "production" } as const;

/** What a service answers: its own work, and whom it calls for it. */
export type Routes = Readonly<Record<string, { readonly workMs: number; readonly calls?: readonly string[] }>>;

/**
 * A small shop. Times are what such services take within one data centre; the graph is three deep, so that a failure
 * at the bottom shows at the top.
 */
const SHOP: Readonly<Record<string, Routes>> = {
  gateway: {
    "GET /browse": { workMs: 3, calls: ["catalog GET /items"] },
    "GET /search": { workMs: 3, calls: ["catalog GET /search"] },
    "GET /cart": { workMs: 3, calls: ["cart GET /cart"] },
    "POST /checkout": { workMs: 4, calls: ["checkout POST /orders"] },
  },
  checkout: {
    "POST /orders": {
      workMs: 6,
      calls: ["cart GET /cart", "pricing POST /quote", "inventory POST /reserve", "payments POST /charge"],
    },
  },
  cart: { "GET /cart": { workMs: 4, calls: ["inventory GET /stock"] } },
  catalog: {
    "GET /items": { workMs: 5, calls: ["pricing GET /prices"] },
    "GET /search": { workMs: 12 },
  },
  pricing: { "GET /prices": { workMs: 3 }, "POST /quote": { workMs: 5 } },
  inventory: { "GET /stock": { workMs: 3 }, "POST /reserve": { workMs: 6 } },
  payments: { "POST /charge": { workMs: 8, calls: [`${EXTERNAL} POST /authorise`] } },
};

export const SERVICES: readonly string[] = Object.keys(SHOP);

/** Who calls whom, the external bank included: [caller, callee]. */
export const CALLS = callsIn(SHOP);

/** [caller, callee] of all routes of these services, each once. */
export function callsIn(services: Readonly<Record<string, Routes>>): readonly (readonly [string, string])[] {
  const edges = Object.entries(services).flatMap(([service, routes]) =>
    Object.values(routes).flatMap(({ calls = [] }) => calls.map((call) => `${service} ${call.split(" ")[0]}`)),
  );
  return [...new Set(edges)].map((edge) => {
    const [caller = "", callee = ""] = edge.split(" ");
    return [caller, callee] as const;
  });
}

/** How long a caller waits for an answer, ms. */
const CALL_TIMEOUT_MS = 8000;
const START_UP_MS = 300;

/** Builds an image of a service: its usual code, with these quirks in it. The commit follows from service and version unless given. */
export function build(
  service: string,
  version: string,
  quirks: readonly Quirk[] = [],
  commit: string = commitOf(`${service} ${version}`),
): ImageManifest {
  const all = { ...SHOP, ...REPORTS };
  const routes = all[service];
  if (routes === undefined)
    throw new Error(`there is no service "${service}"; there are ${Object.keys(all).join(", ")}`);
  return {
    service,
    version,
    commit,
    memoryLimitMiB: MEMORY_LIMIT_MIB,
    startUpMs: START_UP_MS,
    routes: Object.entries(routes).map(([route, { workMs, calls = [] }]): RouteCode => {
      const { method, path } = split(route);
      return { method, path, workMs, calls: calls.map(callCode) };
    }),
    quirks: [...flagged(service, version), ...quirks],
  };
}

/** The commit of a state of the sources that goes by this name: 40 hex digits. */
export const commitOf = (name: string): string => createHash("sha1").update(name).digest("hex");

/** Checkout has shipped a new code path since 1.1.0, dark until somebody switches its flag on; and it does not work. */
function flagged(service: string, version: string): readonly Quirk[] {
  if (service !== "checkout" || version === GOOD_VERSIONS[0]) return [];
  const message = "express order has no shipping quote (ExpressOrder.confirm)";
  return [{ kind: "behind-flag", flag: FLAG.name, share: 0.6, message, route: "/orders" }];
}

function callCode(call: string): CallCode {
  const space = call.indexOf(" ");
  return { service: call.slice(0, space), ...split(call.slice(space + 1)), timeoutMs: CALL_TIMEOUT_MS };
}

function split(route: string): { readonly method: "GET" | "POST"; readonly path: string } {
  const [method, path = "/"] = route.split(" ");
  return { method: method === "POST" ? "POST" : "GET", path };
}
