import fc from "fast-check";
import {
  DAY,
  FAULTS,
  type Fault,
  HOUR,
  type Limits,
  MINUTE,
  PEOPLE,
  PLAIN,
  THINGS,
  TROUBLES,
  type Trouble,
} from "./catalog.ts";
import type { Crash } from "./mortal.ts";
import type { Trial } from "./trial.ts";

/** What happens between a proposal and its submission. */
export type Between =
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "approve" | "reject"; readonly who: string };
/** See `Trial.incident`. */
export interface IncidentStep {
  readonly things: readonly string[];
  readonly troubles: readonly Trouble[];
  readonly by: string;
  readonly between: readonly Between[];
  readonly faults: readonly Fault[];
  readonly crash: Crash | null;
  /** Submits the plan a second time. */
  readonly again: boolean;
}

/** One thing that happens, as plain data, so that a failing sequence can be read and shrunk. */
export type Step =
  | ({ readonly do: "incident" } & IncidentStep)
  | { readonly do: "race"; readonly plans: readonly (readonly string[])[]; readonly pauses: readonly number[] }
  | { readonly do: "again"; readonly index: number; readonly who: string | null }
  | { readonly do: "pause"; readonly scope: string }
  | { readonly do: "resume"; readonly scope: string; readonly who: string }
  | { readonly do: "sleep"; readonly ms: number }
  | { readonly do: "recover"; readonly restart: boolean }
  | { readonly do: "heal" }
  | { readonly do: "verified"; readonly verdict: "recovered" | "not-recovered" | "unknown" }
  | { readonly do: "healthy"; readonly service: string };

const weighted = <T>(...rows: readonly (readonly [number, fc.Arbitrary<T>])[]) =>
  fc.oneof(...rows.map(([weight, arbitrary]) => ({ weight, arbitrary })));
const SCOPES = ["*", "checkout", "web", "cart"];
/** How time passes between two steps, back as well; to a moment exactly at the end of a limit, since a step takes a second. */
const PASSING = [
  ...[MINUTE, 3 * MINUTE, 11 * MINUTE, HOUR, DAY],
  ...[2 * MINUTE, 10 * MINUTE, HOUR, DAY].map((limit) => limit - 1000),
  ...[-30_000, -2 * MINUTE],
];
const who: fc.Arbitrary<string> = fc.constantFrom(...PEOPLE.map(({ name }) => name), "mallory");
const plain = fc.constantFrom(...PLAIN);
const any = fc.constantFrom(...THINGS.map(({ name }) => name));

const things = weighted(
  [5, plain.map((one) => [one])],
  [3, any.map((one) => [one])],
  [2, fc.uniqueArray(plain, { minLength: 2, maxLength: 3 })],
  [1, fc.uniqueArray(any, { minLength: 2, maxLength: 3 })],
);
const between = weighted<IncidentStep["between"]>(
  [6, fc.constant([])],
  [4, who.map((name) => [{ kind: "approve" as const, who: name }])],
  [
    2,
    fc.array(
      fc.oneof(
        who.map((name) => ({ kind: "approve" as const, who: name })),
        who.map((name) => ({ kind: "reject" as const, who: name })),
        fc.constantFrom(MINUTE, 10 * MINUTE, 11 * MINUTE, 15 * MINUTE).map((ms) => ({ kind: "sleep" as const, ms })),
      ),
      { minLength: 1, maxLength: 3 },
    ),
  ],
);
const crash = fc.record({
  step: fc.integer({ min: 1, max: 9 }),
  phase: fc.constantFrom("before" as const, "inside" as const, "after" as const),
});
const incident: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("incident" as const),
  things,
  troubles: weighted<IncidentStep["troubles"]>(
    [5, fc.constant([])],
    [5, fc.constantFrom(...TROUBLES).map((one) => [one])],
    [1, fc.uniqueArray(fc.constantFrom(...TROUBLES), { maxLength: 3 })],
  ),
  by: fc.constantFrom("watch", "cli:alice", "mcp:http:Bob", "mcp:stdio:inspector"),
  between,
  faults: weighted<IncidentStep["faults"]>(
    [6, fc.constant([])],
    [2, fc.array(fc.constantFrom(null, ...FAULTS), { maxLength: 3 })],
  ),
  crash: weighted<IncidentStep["crash"]>([3, fc.constant(null)], [1, crash]),
  again: fc.boolean(),
});

/** Anything that can happen, incidents most of all. */
export const step: fc.Arbitrary<Step> = weighted<Step>(
  [12, incident],
  [
    1,
    fc.record({
      do: fc.constant("race" as const),
      plans: fc.array(fc.uniqueArray(plain, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 }),
      pauses: fc.array(fc.nat(6), { minLength: 1, maxLength: 5 }),
    }),
  ],
  [1, fc.record({ do: fc.constant("again" as const), index: fc.nat(3), who: fc.option(who, { nil: null }) })],
  [1, fc.record({ do: fc.constant("pause" as const), scope: fc.constantFrom(...SCOPES) })],
  [2, fc.record({ do: fc.constant("resume" as const), scope: fc.constantFrom(...SCOPES), who })],
  [
    3,
    fc.record({
      do: fc.constant("sleep" as const),
      ms: fc.constantFrom(...PASSING),
    }),
  ],
  [3, fc.record({ do: fc.constant("recover" as const), restart: fc.boolean() })],
  [1, fc.record({ do: fc.constant("heal" as const) })],
  [
    1,
    fc.record({
      do: fc.constant("verified" as const),
      verdict: fc.constantFrom("recovered" as const, "not-recovered" as const, "unknown" as const),
    }),
  ],
  [1, fc.record({ do: fc.constant("healthy" as const), service: fc.constantFrom("checkout", "cart", "web") })],
);

export const limits: fc.Arbitrary<Limits> = fc.record({
  perHour: fc.constantFrom(null, 1, 2, 3),
  perDay: fc.constantFrom(null, 2, 4),
  cooldownMs: fc.constantFrom(0, 10 * MINUTE),
  cooldownForAll: fc.boolean(),
  escalateAfter: fc.constantFrom(null, 1, 2),
  mostServices: weighted<number | null>([3, fc.constant(null)], [1, fc.constantFrom(1, 2)]),
  mostTraffic: weighted<number | null>([3, fc.constant(null)], [1, fc.constantFrom(0.2, 0.6)]),
  mostPods: weighted<number | null>([3, fc.constant(null)], [1, fc.constantFrom(3, 6)]),
  kinds: weighted([3, fc.constant(1)], [1, fc.constant(2)]),
  confidence: fc.constantFrom(null, 0.9),
  twoPeople: weighted<readonly string[]>([3, fc.constant([])], [1, fc.constant(["cart"])]),
});

/** Does one step in the world and in the model. A second passes before each. */
export async function doStep(trial: Trial, one: Step): Promise<void> {
  await trial.sleep(one.do === "sleep" ? one.ms : 1000);
  switch (one.do) {
    case "incident":
      return trial.incident(one);
    case "race":
      return trial.race(one);
    case "again":
      return trial.again(one.index, one.who);
    case "pause":
      return trial.pause(one.scope);
    case "resume":
      return trial.resume(one.scope, one.who);
    case "recover":
      return trial.recover(one.restart);
    case "heal":
      return trial.heal();
    case "verified":
      return trial.verified(one.verdict);
    case "healthy":
      return trial.healthy(one.service);
    case "sleep":
      return;
  }
}
