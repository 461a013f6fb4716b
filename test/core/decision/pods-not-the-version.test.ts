import { describe, expect, it } from "vitest";
import type { CaseEvidence } from "../../../core/correlation/rank.ts";
import { likeWideCause } from "../../../core/decision/pods-not-the-version.ts";
import type { Change } from "../../../core/model/change.ts";
import { change, emptyCase, onsetAt, T0 } from "../correlation/fixtures.ts";

const wide = { services: 12, measured: 40, onset: onsetAt(T0) };
const seen = (metrics: readonly string[], coincidence?: typeof wide) =>
  ({
    caseFile: emptyCase(coincidence === undefined ? {} : { coincidence }),
    worse: new Map([["cart", new Set(metrics)]]),
  }) as unknown as CaseEvidence;

describe("a version that is slower beside the old one", () => {
  it.each<[string, readonly string[], Partial<Change>, boolean]>([
    ["is left to people within a wide cause", ["p50_latency", "cpu_usage"], {}, true],
    ["is left to people there where its configuration was replaced", ["p99_latency"], { kind: "config" }, true],
    ["is judged as ever where it fails requests as well", ["p50_latency", "error_rate"], {}, false],
    ["is judged as ever where a flag was switched, which starts no pods", ["p50_latency"], { kind: "flag" }, false],
  ])("%s", (_, metrics, replaced, left) => {
    const why = likeWideCause(change({ service: "cart", startedAt: T0, ...replaced }), seen(metrics, wide));
    if (left) expect(why).toMatch(/^12 services that nobody changed .* may keep cart slow once its new pods are warm$/);
    else expect(why).toBeNull();
  });

  it.each<[string, readonly string[]]>([
    ["fails", ["error_rate"]],
    ["is slow", ["p50_latency"]],
  ])("is left to people where it %s since a wide cause began, and was rolled out before", (_, metrics) => {
    const before = change({ service: "cart", startedAt: T0 - 5 * 60_000 });
    expect(likeWideCause(before, seen(metrics, wide))).toMatch(/^12 services .* its pods may run where the cause is$/);
  });

  it("is judged as ever where nothing began with it", () =>
    expect(likeWideCause(change({ service: "cart" }), seen(["p50_latency"]))).toBeNull());
});
