import { expect } from "vitest";
import { FLEET } from "../../../evals/scenarios/families/fleet/index.ts";
import { HELD_OUT } from "../../../evals/scenarios/families/held-out/index.ts";
import { HELD_OUT_B } from "../../../evals/scenarios/families/held-out-b/index.ts";
import { FAMILIES } from "../../../evals/scenarios/families/index.ts";
import type { Told } from "../../../evals/scenarios/generate.ts";
import { harmSince } from "../../../evals/scenarios/world/harm.ts";
import { simulate } from "../../../evals/scenarios/world/simulate.ts";
import { NATS_NEEDED } from "../../../evals/scenarios/world/visibility.ts";

/** The truth is what the family means, names changes that are there, and could be seen in time. */
export function expectItsWorldToBearItOut(name: string, { scenario: world, truth, visibility }: Told): void {
  const { clock, changes } = world;
  const ids = new Map(changes.map((change) => [change.id, change]));
  expect(truth.faulty).toBe(
    [...FAMILIES, ...FLEET, ...HELD_OUT, ...HELD_OUT_B].find((family) => family.name === name)?.faulty,
  );
  expect(truth.acceptable).toContain(truth.action);
  expect(truth.targets.every((id) => ids.has(id))).toBe(true);
  if (!truth.faulty) {
    expect([truth.culprit, truth.onset, truth.targets, truth.action]).toEqual([null, null, [], "no_action"]);
    return;
  }
  const culprit = ids.get(truth.culprit ?? "");
  expect(truth.guilty).toContain(truth.culprit);
  expect(truth.onset).toBeGreaterThanOrEqual(clock.watchStart);
  expect(culprit?.startedAt).toBeLessThanOrEqual(truth.onset ?? 0);
  expect(visibility?.nats).toBeGreaterThanOrEqual(NATS_NEEDED);
  expect(visibility?.at).toBeLessThanOrEqual(clock.watchEnd - 300_000);
  expect(new Set(truth.targets)).toEqual(new Set(truth.guilty));
}

/** Without the guilty the end of the watch is well; without any one other change it is as bad as it was. */
export function expectOnlyTheGuiltyToMendIt({ scenario: world, truth }: Told): void {
  if (!truth.faulty) return;
  const { clock } = world;
  const span = { start: clock.watchEnd - 900_000, stepMs: 30_000, length: 31 };
  const harm = (without: readonly string[]) =>
    harmSince(
      simulate(world, span, null, new Set(without)),
      simulate(
        { ...world, faults: world.faults.filter(({ because }) => because === null) },
        span,
        null,
        new Set(truth.guilty),
      ),
      0,
    );
  const [now, undone] = [harm([]), harm(truth.guilty)];
  expect(undone).toBeLessThan(0.2 * now);
  const innocent = world.changes
    .filter(({ id }) => !truth.guilty.includes(id) && world.changes.length < 40)
    .slice(0, 4);
  for (const { id } of innocent) expect(harm([id])).toBeGreaterThan(0.5 * now);
}
