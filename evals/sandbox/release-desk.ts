import { type FlagServer, startFlagServer } from "./flags/server.ts";
import type { FlagToken } from "./flags/store.ts";
import { FLAG } from "./shop.ts";

/** For whoever is to switch flags from outside: unship, or a person with curl. */
export const GUEST: FlagToken = { secret: "*:*.guest-81b6e4aa", kind: "admin", name: "unship" };

/** What the pods read flags with. */
export const PODS: FlagToken = {
  secret: `${FLAG.project}:${FLAG.environment}.pods-5c02ab77`,
  kind: "client",
  name: "pods",
  environment: FLAG.environment,
};

const SEED: FlagToken = { secret: "*:*.seed-2f7d90c1", kind: "admin", name: "release-desk" };

/** A flag server with the shop's flag in it, off; dated by `now` (Unix ms). */
export async function startShopFlags(now: () => number): Promise<FlagServer> {
  const environments = ["development", FLAG.environment];
  const server = await startFlagServer({ tokens: [GUEST, PODS], environments, now });
  server.store.create(FLAG.project, { name: FLAG.name, description: "One-step order at checkout" }, SEED);
  server.store.addStrategy(FLAG.project, FLAG.name, FLAG.environment, {}, SEED);
  return server;
}
