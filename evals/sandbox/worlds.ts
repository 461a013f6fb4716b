import { REPORTS } from "./reports.ts";
import { CALLS, callsIn, EXTERNAL, SERVICES } from "./shop.ts";
import { MIX, type Mix } from "./traffic/arrivals.ts";

/** A system of services that run in the sandbox; nothing joins one to another. */
export interface World {
  readonly services: readonly string[];
  /** Who calls whom, what is outside included: [caller, callee]. */
  readonly calls: readonly (readonly [string, string])[];
  readonly external: readonly string[];
  /** The service that its visitors come to, what they ask there, and how often a second unless somebody says otherwise. */
  readonly door: string;
  readonly mix: Mix;
  readonly requestsPerSecond: number;
}

export const WORLDS = {
  /** 60 visits a second leave most of two cores to others. */
  shop: { services: SERVICES, calls: CALLS, external: [EXTERNAL], door: "gateway", mix: MIX, requestsPerSecond: 60 },
  /** Fewer people read figures than buy; enough that ten seconds of them are some hundreds. */
  reports: {
    services: Object.keys(REPORTS),
    calls: callsIn(REPORTS),
    external: [],
    door: "reports",
    mix: [
      { method: "GET", path: "/daily", share: 0.6 },
      { method: "GET", path: "/dashboard", share: 0.4 },
    ],
    requestsPerSecond: 25,
  },
} as const satisfies Record<string, World>;

export type WorldName = keyof typeof WORLDS;

export const servicesOf = (worlds: readonly WorldName[]): readonly string[] =>
  worlds.flatMap((name) => WORLDS[name].services);

export const callsOf = (worlds: readonly WorldName[]): readonly (readonly [string, string])[] =>
  worlds.flatMap((name) => WORLDS[name].calls);

export const externalsOf = (worlds: readonly WorldName[]): readonly string[] =>
  worlds.flatMap((name) => WORLDS[name].external);
