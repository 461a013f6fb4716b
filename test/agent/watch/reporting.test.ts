import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../../agent/watch/events.ts";
import { createReporting } from "../../../agent/watch/reporting.ts";
import type { Gap } from "../../../core/model/assessment.ts";

const AT = Date.parse("2026-03-02T12:00:00Z");
const absurd: Gap = {
  ...{ of: "metrics", how: "partial", metric: "error_rate", services: ["payments"], source: "prometheus" },
  what: "error_rate of payments",
  because: "-1 at 2026-03-02T12:00:00.000Z can be no measurement: taken as missing",
};
const failed: Gap = {
  ...{ of: "metrics", how: "unanswered", metric: "error_rate", source: "prometheus", what: "metrics: error_rate" },
  because: "nothing listens at prometheus:9090",
};
const absent: Gap = {
  ...{ of: "changes", how: "not-configured", source: "configuration", what: "changes" },
  because: "no source of changes is configured",
};

/** What is told over looks that have these gaps. */
function told(...looks: readonly (readonly Gap[])[]): readonly string[] {
  const events: WatchEvent[] = [];
  const report = createReporting((event) => events.push(event));
  for (const [index, gaps] of looks.entries()) report(gaps, AT + index * 15_000);
  return events.map(({ event, text }) => `${event}: ${text}`);
}

describe("S9: a source that is down is said to be down, and no other", () => {
  it.each<[string, readonly (readonly Gap[])[], readonly string[]]>([
    [
      "a question that failed: down, and up when it is answered",
      [[failed], [failed], []],
      [
        "source.down: prometheus is down (metrics: error_rate): nothing listens at prometheus:9090",
        "source.up: prometheus answers again (metrics: error_rate)",
      ],
    ],
    [
      "since when it is silent, where that is known",
      [[{ ...failed, since: AT - 60_000 }]],
      [
        "source.down: prometheus is down (metrics: error_rate): nothing listens at prometheus:9090; no data since 2026-03-02T11:59:00.000Z",
      ],
    ],
    [
      "one absurd sample: its source was never down",
      [[absurd], [absurd], []],
      [
        "source.partial: prometheus does not show error_rate of payments: -1 at 2026-03-02T12:00:00.000Z can be no measurement: taken as missing",
        "source.whole: prometheus shows error_rate of payments again",
      ],
    ],
    [
      "what the configuration leaves out: said once, and nothing is down or comes back",
      [[absent], [absent], []],
      ["source.absent: changes are unknown: no source of changes is configured"],
    ],
    [
      "a part that turns into a failure is both, and shown again once it is answered",
      [[{ ...failed, how: "partial" }], [failed], []],
      [
        "source.partial: prometheus does not show metrics: error_rate: nothing listens at prometheus:9090",
        "source.down: prometheus is down (metrics: error_rate): nothing listens at prometheus:9090",
        "source.up: prometheus answers again (metrics: error_rate)",
        "source.whole: prometheus shows metrics: error_rate again",
      ],
    ],
    [
      "an absurd sample, then no answer, then the same sample: not shown again in between",
      [[absurd], [failed], [absurd], [absurd, failed], [absurd]],
      [
        "source.partial: prometheus does not show error_rate of payments: -1 at 2026-03-02T12:00:00.000Z can be no measurement: taken as missing",
        "source.down: prometheus is down (metrics: error_rate): nothing listens at prometheus:9090",
        "source.up: prometheus answers again (metrics: error_rate)",
        "source.down: prometheus is down (metrics: error_rate): nothing listens at prometheus:9090",
        "source.up: prometheus answers again (metrics: error_rate)",
      ],
    ],
    [
      "pages with an absurd sample, while their scrape as a whole does not answer",
      [[{ ...absurd, of: "targets", source: "scrape pages" }], [{ ...failed, of: "targets", source: "scrape" }]],
      [
        "source.partial: scrape pages does not show error_rate of payments: -1 at 2026-03-02T12:00:00.000Z can be no measurement: taken as missing",
        "source.down: scrape is down (metrics: error_rate): nothing listens at prometheus:9090",
      ],
    ],
    ...[
      { ...failed, metric: "p99_latency" },
      { ...failed, of: "targets" as const },
      { ...failed, source: "prometheus two" },
      { ...failed, services: ["cart"] },
    ].map((other): [string, readonly (readonly Gap[])[], readonly string[]] => [
      `an absurd sample that is gone, while somebody else does not answer: ${JSON.stringify(other)}`,
      [[absurd], [other]],
      [
        "source.partial: prometheus does not show error_rate of payments: -1 at 2026-03-02T12:00:00.000Z can be no measurement: taken as missing",
        `source.down: ${other.source} is down (metrics: error_rate): nothing listens at prometheus:9090`,
        "source.whole: prometheus shows error_rate of payments again",
      ],
    ]),
  ])("%s", (_, looks, lines) => {
    expect(told(...looks)).toEqual(lines);
  });

  it("what of one source fails at once for one reason is one event, and so is what is answered again at once", () => {
    const parts = ["metrics: error_rate", "history: error_rate", "targets", "metrics: p99_latency"];
    const all = parts.map((what): Gap => ({ ...failed, what }));
    const refused = { ...failed, what: "rollouts", because: "it refused: 401" };
    expect(told([...all, refused], [...all.slice(1), refused], [])).toEqual([
      "source.down: prometheus is down (metrics: error_rate, p99_latency; history: error_rate; targets): nothing listens at prometheus:9090",
      "source.down: prometheus is down (rollouts): it refused: 401",
      "source.up: prometheus answers again (metrics: error_rate)",
      "source.up: prometheus answers again (history: error_rate; targets; metrics: p99_latency; rollouts)",
    ]);
  });

  it("no part is lost in a group, whatever fails and comes back when", () => {
    const evaluations = fc.array(fc.subarray(["metrics: a", "metrics: b", "history: a", "targets"]), { maxLength: 8 });
    const reasons = fc.constantFrom("it timed out", "it refused");
    fc.assert(
      fc.property(evaluations, fc.array(reasons, { minLength: 8, maxLength: 8 }), (looks, why) => {
        const down = new Set<string>();
        const report = createReporting(({ event, about }) => {
          for (const what of about?.what ?? []) {
            expect(down.has(what)).toBe(event === "source.up");
            if (event === "source.down") down.add(what);
            else down.delete(what);
          }
        });
        for (const [index, look] of looks.entries()) {
          report(
            look.map((what): Gap => ({ ...failed, what, because: why[index] ?? "" })),
            AT + index,
          );
          expect([...down].toSorted()).toEqual(look.toSorted());
        }
      }),
    );
  });

  it("each names its source and what of it apart from its words", () => {
    const events: WatchEvent[] = [];
    createReporting((event) => events.push(event))([failed], AT);
    expect(events[0]?.about).toEqual({ source: "prometheus", what: ["metrics: error_rate"] });
  });
});
