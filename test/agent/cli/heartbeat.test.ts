import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHeartbeat, heartbeatText } from "../../../agent/cli/heartbeat.ts";
import type { ConditionState } from "../../../core/model/finding.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { openWatchWorld } from "../watch/watch-world.ts";

const NOW = Date.UTC(2026, 2, 2, 14, 10, 0);
const MINUTE = 60_000;

const pending = (since: number, firesAt: number, service = "payments"): ConditionState => ({
  ...{ policy: "auto_rollback", condition: 0, text: "error_rate > 0.05 for 3m" },
  ...{ service, metric: "error_rate", state: "pending", value: 0.22, since, firesAt, because: "now 22 %" },
});
const incidentWith = (conditions: readonly ConditionState[], service = "payments") =>
  ({ service, stage: "waiting-policy", gate: null, outcome: null, conditions }) as unknown as Incident;

/** What a terminal of so many columns shows after what was written to it: lines above, and the one with the cursor. */
function shownBy(written: string): { readonly above: readonly string[]; readonly foot: string } {
  const lines = written.split("\n").map((line) => line.slice(line.lastIndexOf("\u001b[2K") + 1).replace(/^\[2K/, ""));
  return { above: lines.slice(0, -1), foot: lines.at(-1) ?? "" };
}

describe("the line at the foot of a terminal", () => {
  it.each([
    ["no incident", [], "14:10:00Z evaluated, no incident is open"],
    [
      "a condition that has held for two of three minutes",
      [incidentWith([pending(NOW - 2 * MINUTE, NOW + MINUTE)])],
      "14:10:00Z [████████    ] 2m of 3m until auto_rollback fires: error_rate of payments",
    ],
    [
      "two incidents: the condition that fires first, and that another one is open",
      [
        incidentWith([pending(NOW, NOW + 3 * MINUTE)]),
        incidentWith([pending(NOW - 2 * MINUTE, NOW + MINUTE, "cart")], "cart"),
      ],
      "14:10:00Z [████████    ] 2m of 3m until auto_rollback fires: error_rate of cart (1 more incident is open)",
    ],
    [
      "an incident in which nothing is pending",
      [incidentWith([])],
      "14:10:00Z payments: waiting until the policy's duration is over",
    ],
  ] as const)("says of %s: its moment and what is waited for", (_, open, text) => {
    expect(heartbeatText(NOW, open)).toBe(text);
  });

  it("says it of an incident as the watch has it", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble({ condition: "pending", firesAt: world.time.now + 5 * MINUTE })];
    await world.step(2);
    expect(heartbeatText(world.time.now, [await world.incident()])).toMatch(
      /until auto_rollback fires: \S+ of checkout$/,
    );
  });

  it("S9: sources that are down are named until all of each answers again", () => {
    let written = "";
    const heartbeat = createHeartbeat(
      (text) => {
        written = text;
      },
      () => 120,
    );
    const foot = () => {
      heartbeat.evaluated(NOW, []);
      return shownBy(written).foot;
    };
    const source = (event: "source.down" | "source.up", what: readonly string[], of = "prometheus") =>
      heartbeat.above({ at: NOW, event, about: { source: of, what } }, () => undefined);
    source("source.down", ["metrics", "targets"]);
    source("source.down", ["deploys"], "argocd");
    expect(foot()).toBe("14:10:00Z prometheus, argocd are DOWN; evaluated, no incident is open");
    source("source.up", ["deploys"], "argocd");
    source("source.up", ["targets"]);
    expect(foot()).toBe("14:10:00Z prometheus is DOWN; evaluated, no incident is open");
    source("source.up", ["metrics"]);
    expect(foot()).toBe("14:10:00Z evaluated, no incident is open");
  });

  it("is always the last line, whole lines stand above it, and it never wraps or leaves a rest", () => {
    const services = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" });
    const steps = fc.array(fc.oneof(fc.record({ says: services }), fc.record({ evaluates: services })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 20, max: 120 }), (all, columns) => {
        let written = "";
        const heartbeat = createHeartbeat(
          (text) => {
            written += text;
          },
          () => columns,
        );
        const said: string[] = [];
        let last = "";
        for (const [index, step] of all.entries()) {
          if ("says" in step) {
            const line = `${index} event`;
            said.push(line);
            heartbeat.above({ at: NOW, event: "incident.detected" }, () => {
              written += `${line}\n`;
            });
          } else {
            last = step.evaluates;
            heartbeat.evaluated(NOW, [incidentWith([pending(NOW, NOW + MINUTE, last)], last)]);
          }
        }
        const { above, foot } = shownBy(written);
        expect(above).toEqual(said);
        expect([...foot].length).toBeLessThan(columns);
        expect(foot === "").toBe(last === "");
        heartbeat.end();
        expect(shownBy(written).foot).toBe("");
      }),
    );
  });
});
