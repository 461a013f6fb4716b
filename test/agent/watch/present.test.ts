import { describe, expect, it } from "vitest";
import { status } from "../../../agent/cli/status.ts";
import { asItStands } from "../../../core/model/recorded.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { MINUTE } from "../../core/guardrails/rule-inputs.ts";
import { pastComposition } from "../../evals/lab/past-composition.ts";
import { incident as anyIncident } from "../../knowledge/incidents.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

const { impact } = anyIncident;
if (impact === null) throw new Error("the incident has an impact");
const WORSE = {
  ...impact,
  level: "critical",
  failedShare: 0.9,
  sentences: ["90.0 % of requests fail at web"],
} as const;

/** A world whose act is done, while what it should have cured gets worse. */
async function gettingWorse(): Promise<WatchWorld> {
  const present = () => ({
    findings: [],
    conditions: [],
    answers: { evaluate_business_impact: { impact: { ...WORSE, sentences: [...WORSE.sentences] } } },
  });
  const world = await openWatchWorld({ parts: { present } });
  world.troubles = [world.trouble()];
  await world.step();
  world.recovery = "pending";
  await world.step((2 * MINUTE) / STEP_MS);
  return world;
}

describe("S15: while an act is verified the record says how it stands, beside what was decided", () => {
  it("within a minute, and with the moment that it is of", async () => {
    await using world = await gettingWorse();
    const incident = await world.incident();
    const told = asItStands(incident);
    expect(told.impact).toMatchObject({ level: "critical", failedShare: 0.9 });
    expect(world.time.now - (told.seenAt ?? 0)).toBeLessThanOrEqual(MINUTE + STEP_MS);
    expect(told.decision).toEqual(incident.decision);
    expect(told.onset).toEqual(incident.onset);
    expect(incident.extent?.impact?.level).toBe("critical");
  });

  it("`unship status` shows that, and by whom the plan was let through", async () => {
    await using world = await gettingWorse();
    const { composition, printed } = pastComposition(testConfig(), { metrics: [] } as never, world.time.now);
    await status(
      {
        ...composition,
        ledger: async () => ({ ...world.store, close: async () => undefined }),
        atWork: async () => ({ ledger: "the ledger", isThere: true, processes: [], gate: null }),
        hasEnded: async () => false,
      },
      {},
    );
    expect(printed.out).toMatch(/impact critical, as of \d\d:\d\d:\d\d UTC: 90\.0 % of requests fail at web/);
    expect(printed.out).toMatch(/executed \(allow\), without a person at /);
  });
});
