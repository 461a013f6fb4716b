import { describe, expect, it } from "vitest";
import { withoutSecondGuess } from "../../../core/assessment/not-helped.ts";
import { seenByVersion } from "../../../core/correlation/version-signs.ts";
import type { Onset } from "../../../core/model/finding.ts";
import { change, emptyCase, MINUTE, T0 } from "../correlation/fixtures.ts";
import { rollbackOf } from "./rollback-decision.ts";

const ACT = T0 + 5 * MINUTE;
const first = change({ id: "first", service: "stock", from: "v1", to: "v2" });
const own = change({
  id: "own",
  service: "stock",
  from: "v2",
  to: "v1",
  startedAt: ACT - 1000,
  finishedAt: ACT,
  ownRollback: true,
});
const second = rollbackOf("cart", "second", 0.95);
const since = (earliest: number): Onset => ({ at: earliest + 15_000, earliest, latest: earliest + 30_000 });
const edges = [["cart", "stock"]] as const;

describe("a decision to undo a second change", () => {
  const rows: readonly (readonly [
    string,
    { startedAt: number; service?: string; onset: Onset; known?: boolean },
    boolean,
  ])[] = [
    [
      "is none while the trouble goes on through our first rollback",
      { startedAt: T0 - MINUTE, onset: since(ACT) },
      false,
    ],
    ["is none where the trouble is older than that, too", { startedAt: T0 - MINUTE, onset: since(T0) }, false],
    [
      "is none where nobody knows who calls whom",
      { startedAt: T0, service: "mail", onset: since(ACT), known: false },
      false,
    ],
    ["stands after a calm", { startedAt: T0 - MINUTE, onset: since(ACT + 2 * MINUTE) }, true],
    ["stands where the change came after our act", { startedAt: ACT + 30_000, onset: since(ACT) }, true],
    ["stands where no call joins the two services", { startedAt: T0, service: "mail", onset: since(ACT) }, true],
  ];
  it.each(rows)("%s", (_, { startedAt, service = "cart", onset, known = true }, stands) => {
    const changes = [first, own, change({ id: "second", service, startedAt, finishedAt: startedAt + MINUTE })];
    const topology = known ? { edges, external: [] } : null;
    const decision = withoutSecondGuess(second, onset, emptyCase({ changes, topology }));
    if (stands) return expect(decision).toEqual(second);
    expect(decision).toMatchObject({ action: "no_action", changeIds: [], culprit: second.culprit });
    expect(decision.needsPerson[0]).toMatch(
      /rollback of stock .* did not end this degradation: whether second is rolled back needs a person/,
    );
  });

  it("stands where the new version itself is seen to fail beside the old one: that is no guess", () => {
    const changes = [first, own, change({ id: "second", service: "cart", startedAt: T0 - MINUTE })];
    const evidence = emptyCase({ changes, topology: { edges, external: [] } });
    const candidate = (logOdds: number) => ({
      changeId: "second",
      service: "cart",
      probability: 0.95,
      reasons: [{ name: "versions", logOdds, sentence: "the new version fails more" }],
    });
    expect(withoutSecondGuess(second, since(ACT), evidence, seenByVersion([candidate(5)]))).toEqual(second);
    expect(withoutSecondGuess(second, since(ACT), evidence, seenByVersion([candidate(2)])).action).toBe("no_action");
  });

  it("stands where nothing of ours was done", () => {
    const changes = [first, change({ id: "second", service: "cart" })];
    expect(withoutSecondGuess(second, since(T0), emptyCase({ changes }))).toEqual(second);
  });
});
