/*
 * What a family of the independent incident generator is, and the messages that broken software writes. A family's weight is its
 * share among incidents as the author has met them; `play` sets the scene and says what is true of it.
 */
import type { Rng } from "../random.ts";
import { minute, type Needs, type Scene } from "../scene.ts";
import type { Truth } from "../types.ts";

export interface Family {
  name: string;
  weight: number;
  faulty: boolean;
  needs: Needs;
  play: (s: Scene) => Truth;
}

const broken = [
  "NullReferenceException: Object reference not set at PriceMapper.Map line #",
  "panic: runtime error: index out of range [#] with length #",
  "TypeError: Cannot read properties of undefined (reading 'currency')",
  "KeyError: 'tenant_ref' while serialising response @",
  "java.lang.NoSuchMethodError: io.codec.Frame.header()",
  "json: cannot unmarshal string into Go struct field Offer.amount of type int64",
  "ActiveRecord::StatementInvalid: PG::UndefinedColumn: column offers.channel does not exist",
  "unhandled rejection: expected 3 arguments, got 2 (request @)",
  "illegal state: token audience mismatch for client #",
  "decode failed: unknown enum value # for field status",
];

const slow = [
  "request @ exceeded budget: ~ms spent in serialise()",
  "slow path taken for key @ (~ms)",
  "waiting for connection from pool: ~ms",
  "lock contention on RateTable: waited ~ms",
  "N+1 detected: # queries in one request",
];

export function bug(rng: Rng): string {
  return rng.pick(broken);
}

export function slowness(rng: Rng): string {
  return rng.pick(slow);
}

/** Changes elsewhere at about the same time, which are innocent. */
export function decoys(s: Scene, t: number, n: number, spread = 8 * minute): void {
  for (let i = 0; i < n; i++) s.innocent(t + s.rng.range(-spread, spread));
}
