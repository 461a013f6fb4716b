import { expect } from "vitest";
import { SERVICES } from "./acting.ts";
import type { Three } from "./three.ts";
import type { Death, Life } from "./victim.ts";

/** What becomes of the plan after the kill. */
export type Ending = "goes on" | "is paused" | "meets a newer version" | "comes too late";

const ALL: readonly string[] = SERVICES;
/** Longer than the permit of three targets lives (2 minutes, and 10 for each that is waited for), and than a plan (15). */
const LATER_MS = 30 * 60_000;

/**
 * Kills the process that carries out the plan, looks whether `unship status` tells the truth, starts another that goes on
 * from the ledger, and looks again. `again`: when that one is killed in its turn, after which a third goes on.
 */
export async function killAndGoOn(three: Three, death: Death, ending: Ending, again: Death = null): Promise<Life> {
  const life = await three.live(death);
  const said = await three.expectTruth();
  const before = three.written();
  const reserved = (await three.audited("plan.reserved")) > 0;
  const abandoned = reserved && (await three.audited("plan.answered")) === 0;
  expect(said.includes("the process that was at it has ended"), said).toBe(abandoned);
  const next = SERVICES.find((service) => !before.includes(service));
  if (ending === "is paused") await three.pause();
  if (ending === "meets a newer version" && next !== undefined) await three.deploy(next, "3.0.0");
  const aheadMs = ending === "comes too late" ? LATER_MS : 0;
  if (again !== null) {
    await three.live(again, { again: true, aheadMs });
    await three.expectTruth();
  }
  await three.live(null, { again: true, aheadMs });
  const goesOn = ending === "goes on";
  expect(three.written()).toEqual(goesOn ? ALL : before);
  await three.expectTruth();
  if (ending === "meets a newer version" && next !== undefined) expect(await three.version(next)).toBe("3.0.0");
  else if (!goesOn && next !== undefined) expect(await three.version(next)).toBe("2.0.0");
  if (before.length > 0 && before.length < ALL.length && !goesOn) {
    expect(await three.status()).toContain(`to go on: fix what stopped it, then let a new plan roll back`);
  }
  expect(await three.audited("plan.reserved")).toBeLessThanOrEqual(1);
  expect(await three.audited("permit.redeemed")).toBeLessThanOrEqual(1);
  return life;
}
