import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import { replacedBefore } from "../../../core/correlation/replaced.ts";
import type { Change } from "../../../core/model/change.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP_MS = 15_000;
const ONSET = onsetAt(T0 + 10 * MINUTE);
const OPTIONS = { versionLabel: "version", windowMs: 30 * MINUTE };

const first = (replaced: Partial<Change> = {}) => change({ id: "first", from: "v1", to: "v2", ...replaced });
const second = (replaced: Partial<Change> = {}) =>
  change({
    id: "second",
    from: "v2",
    to: "v3",
    startedAt: T0 + 5 * MINUTE,
    finishedAt: T0 + 6 * MINUTE,
    ...replaced,
  });
const flag = { kind: "flag", flag: "fast-cart", from: "off", to: "on" } as const;
const web = { kind: "Deployment", namespace: "shop", name: "cart-web" };
const worker = { ...web, name: "cart-worker" };

describe("what was replaced before the onset", () => {
  const rows: readonly (readonly [string, Change, Change, "gone" | "may run"])[] = [
    ["a version that another one replaced is gone", first(), second(), "gone"],
    ["a version that was rolled back is gone", first(), second({ to: "v1", ownRollback: true }), "gone"],
    ["while the next one still rolls out both may run", first(), second({ finishedAt: null }), "may run"],
    [
      "a rollout that ended after the onset replaced nothing in time",
      first(),
      second({ finishedAt: ONSET.at + 1 }),
      "may run",
    ],
    [
      "one that ended within a step of the onset may overlap with it",
      first(),
      second({ finishedAt: ONSET.at - 1 }),
      "may run",
    ],
    [
      "our own rollback needs no step between: no onset is dated into it",
      first(),
      second({ to: "v1", ownRollback: true, finishedAt: ONSET.at }),
      "gone",
    ],
    [
      "an end told together with its start says nothing of the old pods: they may serve for minutes",
      first(),
      second({ startedAt: ONSET.at - 2 * MINUTE, finishedAt: ONSET.at - 2 * MINUTE }),
      "may run",
    ],
    ["a redeploy of the same version replaces nothing", first(), second({ from: "v2", to: "v2" }), "may run"],
    ["a canary of the next version leaves most pods as they are", first(), second({ canary: 0.1 }), "may run"],
    [
      "another workload of the service replaces nothing",
      first({ workload: web }),
      second({ workload: worker }),
      "may run",
    ],
    ["the same workload does", first({ workload: web }), second({ workload: web }), "gone"],
    ["another environment replaces nothing", first({ environment: "eu" }), second({ environment: "us" }), "may run"],
    ["another service replaces nothing", first(), second({ service: "pay" }), "may run"],
    ["a flag that was switched off again is gone", first(flag), second({ ...flag, from: "on", to: "off" }), "gone"],
    ["another flag replaces nothing", first(flag), second({ ...flag, flag: "x", from: "on", to: "off" }), "may run"],
    ["a flag replaces no deploy", first(), second({ ...flag }), "may run"],
    [
      "another edit of a configuration keeps the first",
      first({ kind: "config" }),
      second({ kind: "config" }),
      "may run",
    ],
    ["going back takes it out", first({ kind: "config" }), second({ kind: "config", to: "v1" }), "gone"],
    ["a migration stays", first({ kind: "migration" }), second({ kind: "migration", to: "v1" }), "may run"],
    [
      "an earlier change replaces nothing",
      first(),
      second({ startedAt: T0 - 9 * MINUTE, finishedAt: T0 - MINUTE }),
      "may run",
    ],
  ];
  it.each(rows)("%s", (_, one, other, expected) => {
    const by = replacedBefore(one, [one, other], ONSET, STEP_MS);
    expect(by?.id ?? null).toBe(expected === "gone" ? "second" : null);
  });
});

describe("a version that is gone", () => {
  const rank = (changes: readonly Change[], onset = ONSET) =>
    rankCandidates(emptyCase({ changes, at: onset.at + 5 * MINUTE }), changes, onset, new Set(), OPTIONS);

  it("is no candidate, and people are told why", () => {
    const { candidates, noChangeReasons } = rank([first(), second({ to: "v1", ownRollback: true })]);
    expect(candidates).toEqual([]);
    const told = noChangeReasons.map(({ sentence }) => sentence);
    expect(told).toContain("cart v1 → v2 is no suspect: unship's own rollback had taken its place before the onset");
  });

  it("makes no other change look guiltier than it would beside it", () => {
    const other = change({ id: "other", service: "pay", startedAt: T0 + 8 * MINUTE, finishedAt: T0 + 9 * MINUTE });
    const beside = rank([first(), second({ ownRollback: true, to: "v1" }), other]);
    const alone = rank([other]);
    const of = ({ candidates }: typeof alone) => candidates.find(({ changeId }) => changeId === "other")?.probability;
    expect(of(beside)).toBeLessThan(of(alone) ?? 0);
  });

  it("is never the culprit, however many versions follow each other and whoever replaced them", () => {
    const gaps = fc.array(
      fc.record({
        restMs: fc.integer({ min: 0, max: 20 * MINUTE }),
        takesMs: fc.integer({ min: 0, max: 5 * MINUTE }),
        own: fc.boolean(),
      }),
      { minLength: 2, maxLength: 6 },
    );
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 10 * MINUTE }), (all, lag) => {
        let at = T0;
        const changes = all.map(({ restMs, takesMs, own }, i) => {
          const startedAt = at + restMs + 1;
          at = startedAt + takesMs;
          const back = own && i > 0 ? `v${i - 1}` : `v${i + 1}`;
          return change({ id: `c${i}`, from: `v${i}`, to: back, startedAt, finishedAt: at, ownRollback: own && i > 0 });
        });
        const last = changes.at(-1) ?? change();
        // After the last rollout and the longest that an untold one may have taken, only its version runs.
        const { candidates, noChangeProbability } = rank(changes, onsetAt(at + lag + 4 * MINUTE));
        expect(candidates.map(({ changeId }) => changeId).filter((id) => id !== last.id)).toEqual([]);
        const sum = candidates.reduce((total, { probability }) => total + probability, noChangeProbability);
        expect(sum).toBeCloseTo(1, 9);
      }),
    );
  });
});
