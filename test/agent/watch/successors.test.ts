import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { policyOf } from "../../core/guardrails/rule-inputs.ts";
import { type Beat, type Fleet, type Move, openFleet } from "./fleet-script.ts";

const SERVICE = "checkout";
/** Longer than a service has to be well for its incident to be over. */
const OVER_STEPS = 14;

/** One stretch: something is done, the service is degraded for so many steps, then well for so many. */
interface Stretch {
  readonly before: Move["kind"] | "nothing";
  readonly as: "automatic" | "for a person";
  readonly bad: number;
  readonly well: number;
  readonly restart: boolean;
}

const stretches = (befores: readonly Stretch["before"][]) =>
  fc.array(
    fc.record<Stretch>({
      before: fc.constantFrom(...befores),
      as: fc.constantFrom("automatic", "automatic", "for a person"),
      bad: fc.constantFrom(1, 3, 8, 20, 50, 50),
      well: fc.constantFrom(0, OVER_STEPS, OVER_STEPS, 30),
      restart: fc.boolean(),
    }),
    { minLength: 2, maxLength: 6 },
  );

const moveOf = ({ before }: Stretch): Move | null => {
  if (before === "nothing" || before === "degrade") return null;
  return before === "unreachable" ? { kind: before, is: true } : { kind: before };
};

/** What was written and tried after each evaluation, and how many incidents there were. */
async function play(script: readonly Stretch[], isLong: boolean) {
  await using fleet = await openFleet([SERVICE]);
  const writes: number[] = [];
  const calls: number[] = [];
  const pass = async (move: Move | null, steps: number, restart = false) => {
    if (move !== null) await fleet.play(beatOf(move, 0, restart));
    for (let step = 0; step < steps; step += 1) {
      await fleet.pass(beatOf({ kind: "recover" }, 1, false));
      writes.push(fleet.world.targets.writes().length);
      calls.push(fleet.world.targets.calls().length);
    }
  };
  for (const stretch of script) {
    const move = moveOf(stretch);
    if (move !== null) await pass(move, 0);
    await pass({ kind: "degrade", as: stretch.as }, stretch.bad, stretch.restart);
    await pass(isLong ? null : { kind: "recover" }, stretch.well);
  }
  const rejected = await rejectedWrites(fleet);
  const incidents = await fleet.world.incidents();
  const failedAt = Math.min(
    ...incidents.flatMap(({ outcome, closedAt }) =>
      outcome === "not-recovered" && closedAt !== null ? [closedAt] : [],
    ),
  );
  const executedAt = incidents.flatMap(({ gate }) => gate?.executedAt ?? []);
  return { writes, calls, incidents: incidents.length, rejected, failedAt, executedAt };
}

const beatOf = (move: Move, steps: number, restart: boolean): Beat => ({ service: SERVICE, move, steps, restart });

const REFUSED_OR_TRIED = ["approval.rejected", "plan.proposed", "target.attempted"];

/** Changes that were undone, or asked about once more, after a person had said no to that, by the order of the ledger. */
async function rejectedWrites({ world }: Fleet): Promise<readonly string[]> {
  const refused = new Set<string>();
  const wrong: string[] = [];
  for (const { kind, planId } of await world.store.entries({ kinds: REFUSED_OR_TRIED })) {
    const plan = planId === null ? null : await world.store.plan(planId);
    for (const { changeId } of plan?.targets ?? []) {
      if (kind === "approval.rejected") refused.add(changeId);
      else if (refused.has(changeId)) wrong.push(changeId);
    }
  }
  return wrong;
}

describe("an incident that closes and begins anew", () => {
  it("runs nothing that one long incident would have held", async () => {
    let reopened = 0;
    let rejections = 0;
    await fc.assert(
      fc.asyncProperty(stretches(["nothing", "nothing", "reject", "unreachable"]), async (script) => {
        const short = await play(script, false);
        const long = await play(script, true);
        if (short.incidents > long.incidents) reopened += 1;
        if (script.some(({ before }) => before === "reject")) rejections += 1;
        expect(short.rejected).toEqual([]);
        for (const [index, count] of short.calls.entries()) {
          expect(count, `tries at step ${index}`).toBeLessThanOrEqual(long.calls[index] ?? 0);
          expect(short.writes[index], `writes at step ${index}`).toBeLessThanOrEqual(long.writes[index] ?? 0);
        }
      }),
      { numRuns: 20, seed: 13, endOnFailure: true },
    );
    // The law says nothing unless incidents did close and begin anew, some after a person's no.
    expect(reopened).toBeGreaterThan(5);
    expect(rejections).toBeGreaterThan(5);
  }, 180_000);

  it("counts rollbacks in a row, and those that did not help, over all incidents of the service", async () => {
    let most = 0;
    let failed = 0;
    const { escalateToHumanAfter } = policyOf().guardrails;
    await fc.assert(
      fc.asyncProperty(stretches(["deploy", "deploy", "nothing"]), async (script) => {
        const { writes, failedAt, executedAt } = await play(script, false);
        most = Math.max(most, writes.at(-1) ?? 0);
        if (Number.isFinite(failedAt)) failed += 1;
        expect(writes.at(-1) ?? 0).toBeLessThanOrEqual(escalateToHumanAfter ?? 0);
        expect(executedAt.filter((at) => at > failedAt)).toEqual([]);
      }),
      { numRuns: 20, seed: 14, endOnFailure: true },
    );
    expect(most).toBe(escalateToHumanAfter);
    expect(failed).toBeGreaterThan(0);
  }, 180_000);
});
